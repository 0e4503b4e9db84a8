export {
  compile,
  planStep,
  type Signature,
  type Step,
  type StepFunction,
  type TensorTree,
  type Values,
} from './compile';
export { type DescribeOptions, describePlan } from './describe';
export type { KernelTime, NonFinite } from './diagnose';
export type { DType } from './dtype';
export { TensorError, type TensorErrorCode } from './errors';
export { type Gpu, type GpuOptions, requestDevice, type TuneCache, wrapDevice } from './gpu';
export { grad, remat, valueAndGrad } from './grad';
export {
  type GradientArgs,
  type NdArray,
  type Node,
  type Op,
  record,
  record1,
  type Spec,
  type Tensor,
  type Variants,
} from './graph';
export { type Feeds, type Interpreted, interpret } from './interpret';
export {
  elementType,
  type Kernel,
  type KernelBuilder,
  kernelBuilder,
  type LowerArgs,
  type Scratch,
  type Storage,
  scratch,
} from './kernel';
export { assign, type GroupTensors, store } from './ops/assign';
export { attention, attentionProbabilities, scaledDotProductAttention } from './ops/attention';
export { concat } from './ops/concat';
export * from './ops/elementwise';
export { max, mean, min } from './ops/extrema';
export { gatedSilu } from './ops/gated-silu';
export { gatherRows, scatterAddRows } from './ops/gather';
export { l2Normalize } from './ops/l2-normalize';
export { layerNorm } from './ops/layer-norm';
export { logSumExp } from './ops/log-sum-exp';
export { columnLogSums, rowLogSums } from './ops/log-sums';
export { matmul } from './ops/matmul';
export { oneHot } from './ops/one-hot';
export { patchify } from './ops/patchify';
export {
  randomBernoulli,
  randomNormal,
  randomPermutation,
  randomTruncatedNormal,
  randomUniform,
  randomWords,
} from './ops/random';
export { broadcastTo, type ReduceOptions, sum } from './ops/reduce';
export { pad, slice, sliceAxis } from './ops/slice';
export { softCrossEntropy, softCrossEntropyChunk, type TargetPairing } from './ops/soft-cross-entropy';
export { logSoftmax, softmax } from './ops/softmax';
export { constant, input, literal } from './ops/sources';
export { argmax, topK } from './ops/top-k';
export { transpose } from './ops/transpose';
export { reshape, stopGradient } from './ops/views';
export { weightNorm } from './ops/weight-norm';
export { philox, philoxWgsl, type RandomStream, randomBits, randomStream, type Seed, toUniform } from './philox';
export type { Plan } from './plan';
export { kernelSeconds, type PlanReport } from './plan-report';
export { type Filter, resample, resampleMatrix } from './resample';
export { type RowBody, rowKernel } from './row-kernel';
export { type Shape, sizeOf } from './shape';
export { createState, type State } from './state';
export {
  type GroupLayout,
  type GroupSpec,
  layoutState,
  SEGMENT_ALIGNMENT,
  type Segment,
  type StateLayout,
  type Window,
} from './state-layout';
export { defaultTarget, describeTarget, type SubgroupMatrixConfig, type Target } from './target';
export { type Choice, chosenVariants } from './tuner';
