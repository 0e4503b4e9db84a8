export { cpuBackend } from './backend/cpu';
export type {
  Assignment,
  ClusterSums,
  EvalBackend,
  Gram,
  GramSession,
  KMeansSession,
  LabelPairs,
  LinearClassifier,
  LinearGridSession,
  LinearGridSpec,
  LinearHead,
  ScoreGrid,
  SoftmaxProblem,
  SoftmaxRegressionSession,
  SoftVote,
  TopK,
  TopKSession,
} from './backend/eval-backend';
export { EvalsError, type EvalsErrorCode } from './error';
export type { Batched, Features, LabelledFeatures, PatchFeatures, SegmentationFeatures } from './features';
export { drawShots, type FewShotOptions, type FewShotResult, knnFewShot } from './knn/few-shot';
export { type KnnOptions, type KnnResult, type KnnScore, knn } from './knn/knn';
export { type Matrix, matrix } from './matrix';
export {
  accuracy,
  anyHitRate,
  type ClassScores,
  type ClassTally,
  hitRate,
  meanPerClassAccuracy,
  perClassAccuracy,
  tally,
  topClasses,
} from './metrics/accuracy';
export { type ClusterCounts, hungarianMatch, manyToOneMatch, renamed } from './metrics/matching';
export { type AbsentClass, meanIou, perClassIou } from './metrics/mean-iou';
export { aupr, auroc, type Detection, falsePositiveRate } from './metrics/roc';
export { type EvalRecord, evalRecord, type Json, type Outcome, type SelectedOn, type Subject } from './outcome';
