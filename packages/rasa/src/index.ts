export { RasaError, type RasaErrorCode } from './errors';
export { fitRasa } from './fit';
export { foldAfterNorm, foldIntoConsumer, type LinearMap } from './fold';
export { fromOfficial, toOfficial } from './official-keys';
export { type FitOptions, OFFICIAL_RECIPE, type StageProgress } from './options';
export type { Batches, PatchFeatures, PatchSource } from './patch-batches';
export {
  chainBases,
  decompose,
  type HeadWeights,
  planeBasis,
  projectionMatrix,
  removePlanes,
} from './planes';
export { type Activation, constantError, gridPositions, positionLoss, predictPositions } from './position-head';
export type { Basis, PositionReading, RasaFit, RasaStage } from './result';
