export type { DType, ValuesOf } from './base/dtype';
export { TensorError, type TensorErrorCode } from './base/errors';
export type { ExchangeRateName, ExchangeRates } from './base/exchange-rates';
export { type OptionKinds, optionProblem, type ValueKind, valueProblem } from './base/option-problem';
export {
  philox,
  philoxWgsl,
  type RandomStream,
  randomBits,
  randomStream,
  type Seed,
  seedWords,
  toUniform,
} from './base/philox';
export type { KernelRates, Rate, RateName } from './base/rates';
export { type Shape, sizeOf } from './base/shape';
export {
  type AdapterFacts,
  defaultTarget,
  describeTarget,
  LARGEST_GPU_BUFFER,
  type ListedMatrices,
  listedMatrices,
  type SubgroupMatrixConfig,
  type Target,
} from './base/target';
export { compile, type PlanSignature, planStep, tuneStep } from './compile';
export {
  checkHalfKernels,
  type HalfKernelCheck,
  type HalfKernelFailure,
  type HalfKernelOptions,
  halfKernelTexts,
  type NamedTask,
  type UncoveredTask,
} from './device/check-half-kernels';
export type { KernelTime, NonFinite } from './device/diagnose';
export { type Gpu, type GpuOptions, wrapDevice } from './device/gpu';
export type { Values } from './device/input-writer';
export type { VariantTime } from './device/measure-variants';
export type { OpAlone } from './device/op-alone';
export { requestDevice } from './device/request-device';
export { createState, type State } from './device/state';
export { type TimeVariantsOptions, timeVariants } from './device/time-variants';
export { type Choice, chosenVariants } from './device/tuner';
export {
  type ChoiceOrigin,
  type MadeChoice,
  type TuneCache,
  type Tuning,
  type TuningReport,
  type TuningTable,
  tuningTableOf,
} from './device/tuning';
export { tuningTable, useTuningTable } from './device/tuning-table';
export type { WarmOptions } from './device/warm';
export type {
  Access,
  BegunSum,
  Binding,
  ElementAt,
  Exchange,
  GradientArgs,
  GraphNode,
  InputCopy,
  Kernel,
  KernelKind,
  LowerArgs,
  NdArray,
  Op,
  Program,
  Scratch,
  Spec,
  Storage,
  Tensor,
  Value,
  Variants,
} from './graph/op';
export { spec } from './graph/op';
export type { Ranks, Reduction } from './graph/ranks';
export { record, record1 } from './graph/record';
export {
  copiesOf,
  type GroupLayout,
  type GroupName,
  type GroupSpec,
  layoutState,
  SEGMENT_ALIGNMENT,
  type Segment,
  type StateLayout,
  type StateSpec,
  type StateTensorSpec,
  type TensorName,
  type Window,
} from './graph/state-layout';
export { elementType, type KernelBuilder, type KernelSource, kernelBuilder, scratch } from './kernels/kernel-builder';
export { type RowBody, rowKernel } from './kernels/row-kernel';
export { assign, type GroupTensors, type StateTensors, store } from './ops/assign';
export {
  attention,
  attentionProbabilities,
  scaledDotProductAttention,
  segmentAttention,
} from './ops/attention/attention';
export type { TokenSegment } from './ops/attention/problem';
export { allGather, allReduce, allReduceWindows, reduceScatter, type WindowsOptions } from './ops/collective';
export { concat } from './ops/concat';
export { type Conv2dOptions, conv2d } from './ops/convolution/conv2d';
export * from './ops/elementwise';
export { max, mean, min } from './ops/extrema';
export { gatedSilu } from './ops/gated-silu';
export { gatherRows, rowPositions, scatterAddRows } from './ops/gather';
export { keptCast } from './ops/kept-cast';
export { type MatmulAttrs, matmul } from './ops/matmul/matmul';
export { type Filter, resample, resampleMatrix } from './ops/matmul/resample';
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
export { type ResizeOptions, resize } from './ops/resize';
export { l2Normalise } from './ops/rows/l2-normalise';
export { layerNorm } from './ops/rows/layer-norm';
export { logSumExp } from './ops/rows/log-sum-exp';
export { columnLogSums, rowLogSums } from './ops/rows/log-sums';
export { softCrossEntropy, softCrossEntropyChunk, type TargetPairing } from './ops/rows/soft-cross-entropy';
export { logSoftmax, softmax } from './ops/rows/softmax';
export { argmax, topK } from './ops/rows/top-k';
export { weightNorm } from './ops/rows/weight-norm';
export { segmentRows } from './ops/segment-rows';
export { pad, slice, sliceAxis } from './ops/slice';
export { constant, input, literal } from './ops/sources';
export { transpose } from './ops/transpose';
export { reshape, stopGradient } from './ops/views';
export { grad, remat, valueAndGrad } from './passes/grad';
export { type Feeds, type Interpreted, interpret } from './passes/interpret';
export { type Cost, costByKind, costByLabel, type KindCost, kernelSeconds, type LabelCost, rateOf } from './plan/cost';
export { type DescribeOptions, describePlan } from './plan/describe';
export { exchangesOf } from './plan/exchanges';
export { type LintFinding, type LintRule, lintPlan } from './plan/lint';
export type { Address, Place, Plan, PlannedExchange, PlanReport, PlanStep } from './plan/plan-types';
export { type PlannedOp, productsOf } from './plan/products';
export { type ExchangeTimes, type RankLinks, type TimedPlan, type Timeline, timeline } from './plan/timeline';
export type {
  BatchSpec,
  KnobSpec,
  MetricRow,
  Metrics,
  OutputPath,
  Signature,
  Step,
  StepFunction,
  TensorTree,
} from './step';
