export { RasaError, type RasaErrorCode } from './errors';
export {
  type FitOptions,
  fitRasa,
  type PatchBatch,
  type PatchSource,
  type RasaFit,
  type StageProgress,
  type StageResult,
} from './fit';
export { foldAfterNorm, foldIntoConsumer, type LinearMap } from './fold';
export { fromOfficial, toOfficial } from './official-keys';
export {
  type Basis,
  chainBases,
  decompose,
  type HeadWeights,
  planeBasis,
  projectionMatrix,
  removePlanes,
} from './planes';
export { type Activation, constantError, gridPositions, positionLoss, predictPositions } from './position-head';
