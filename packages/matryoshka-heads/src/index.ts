export { dinoConfig, embedDimOf, type HeadConfig, type HeadLevel, matryoshkaConfig, matryoshkaLevels } from './config';
export { detectHead } from './detect';
export { HeadError, type HeadErrorCode } from './errors';
export { type HeadOutput, levelFeatures, projectionHead } from './head';
export { headSpecs, levelNames } from './specs';
