/** The same targets on typed arrays, in f64: no GPU, no tensor engine. */
export {
  batchMean,
  batchMeanDistributed,
  type CenteringOptions,
  centeredSoftmax,
  type MeanOptions,
  nextCenter,
} from './centering-arrays';
export { SinkhornError, type SinkhornErrorCode } from './errors';
export type { Floats, Shape } from './logits';
export type { Reducer } from './reducer';
export { type SinkhornOptions, sinkhorn, sinkhornDistributed } from './sinkhorn-arrays';
