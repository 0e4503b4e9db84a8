export { type ActivationName, activate } from './activations';
export { type AdamWInput, type AdamWOptions, type AdamWOutput, adamW } from './adamw';
export {
  type BatchStatistics,
  batchNorm,
  batchNormSpecs,
  batchStatistics,
  type ChannelStatistics,
  runningSpecs,
  runningStatistics,
} from './batch-norm';
export { crossEntropy } from './cross-entropy';
export { dropPathPerSample, dropPathSubset, keptSamples } from './drop-path';
export { ema } from './ema';
export { initialise } from './initialise';
export {
  conv2d,
  conv2dSpecs,
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
export { type GroupOptions, type ParameterRule, parameterRule, plainRule } from './parameter-groups';
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
  parameterAs,
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
export { loadState, type StateEntry, type StateFile, stateEntries } from './saved-state';
export { type CosineSchedule, constantSchedule, cosine, linearRamp, scaledLearningRate } from './schedules';
export { type SgdInput, type SgdOptions, sgd } from './sgd';
export {
  probabilityTargets,
  type SoftTargets,
  softTargets,
  targetCrossEntropy,
  targetProbabilities,
} from './soft-targets';
export {
  type OptimizerOptions,
  type OptimizerState,
  optimizerState,
  type Training,
  type TrainingOptions,
  trainingStep,
  type WithLoss,
} from './training-step';
