export { dinoConfig, type HeadConfig, type HeadLevel, matryoshkaConfig, matryoshkaLevels } from './config';
export { detectHead } from './detect';
export { HeadError, type HeadErrorCode } from './errors';
export { type HeadOutput, projectionHead } from './head';
export { headSpecs } from './specs';
