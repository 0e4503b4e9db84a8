export { type AdamWInput, type AdamWOptions, type AdamWOutput, adamW } from './adamw';
export { dropPathPerSample, dropPathSubset, keptSamples } from './drop-path';
export { ema } from './ema';
export { initialise } from './initialise';
export {
  layerNormSpecs,
  layerScale,
  layerScaleSpecs,
  linear,
  linearSpecs,
  mlp,
  mlpSpecs,
  norm,
  swiglu,
  swigluHidden,
  swigluSpecs,
} from './layers';
export { initialLossScale, type LossScaleOptions, lossScale, updateLossScale } from './loss-scale';
export { type GroupOptions, type ParameterRule, parameterRule } from './parameter-groups';
export {
  countParameters,
  type Init,
  initialValues,
  normal,
  ONES,
  type ParameterSpec,
  type ParameterSpecs,
  type Parameters,
  parameter,
  parametersOf,
  prefixed,
  uniform,
  within,
  ZEROS,
} from './parameters';
export {
  type Chunk,
  type ChunkOptions,
  type ChunkPlan,
  type Logits,
  type Prototypes,
  planChunks,
  prototypeLogits,
  prototypeSpecs,
  prototypesOf,
  wholeLogits,
} from './prototypes';
export { type CosineSchedule, constantSchedule, cosine, linearRamp, scaledLearningRate } from './schedules';
export {
  probabilityTargets,
  type SoftTargets,
  softTargets,
  targetCrossEntropy,
  targetProbabilities,
} from './soft-targets';
