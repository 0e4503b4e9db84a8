export { RasaError, type RasaErrorCode } from './errors';
export { type FitOptions, fitRasa, type RasaFit } from './fit';
export { foldAfterNorm, foldIntoConsumer, type LinearMap } from './fold';
export { fromOfficial, toOfficial } from './official-keys';
export type { PatchBatch, PatchSource } from './patch-batches';
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
export type { HeadOptions, StageProgress, StageResult } from './train-head';
