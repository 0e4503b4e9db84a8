export { type AsciiSymbols, toAscii } from './ascii';
export type { AspectOptions } from './aspect';
export { type BlockOptions, blockMask } from './block-mask';
export { type CollatedMasks, collateMasks, padToBound } from './collate';
export { CyclicMaskError, type CyclicMaskErrorCode } from './errors';
export { exposureMap } from './exposure';
export { cellCount, type Grid, type Mask } from './grid';
export { cyclicMask, inverseBlockMask } from './inverse-block-mask';
export { type MultiBlockOptions, multiBlockMask } from './multi-block-mask';
export { type RandomSource, type RandomState, restoreRandom, type SeededRandom, seededRandom } from './random';
export { randomMask } from './random-mask';
export { type BatchMaskOptions, sampleBatch, upperBound } from './sample-batch';
export {
  type MaskStrategy,
  type MaskStrategyName,
  maskStrategies,
  type OfficialMaskFlags,
  strategyOfFlags,
} from './strategy';
