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
  LinearGridState,
  LinearHead,
  ScoreGrid,
  SoftmaxProblem,
  SoftmaxRegressionSession,
  TopK,
  TopKSession,
} from './backend/eval-backend';
export { type GpuBackend, gpuBackend } from './backend/gpu';
export { classify, restrictClasses } from './classifier';
export { type ClassCounts, classCounts } from './compare/class-counts';
export { classHitItems, countItems, hitItems, scoreItems, valueItems } from './compare/item-results';
export { itemsValue, type PairedDifference, type PairedOptions, pairedDifference } from './compare/paired-difference';
export {
  type CorrespondenceOptions,
  correspondence,
  type MatchedPair,
} from './correspondence/correspondence';
export { type DrawPairsOptions, drawPairs, PAIR_BINS, type PairBin } from './correspondence/draw-pairs';
export type { KeyPoint, KeyPointPair } from './correspondence/key-point-pair';
export { matchPair, type PairMatch, RECALL_THRESHOLD } from './correspondence/match-pair';
export { matchPoints, type Point, type PointMatches } from './correspondence/match-points';
export {
  drawWarp,
  invertWarp,
  WARP_STRENGTHS,
  type Warp,
  type WarpBounds,
  type WarpStrength,
  warpOfPixels,
  warpPoint,
} from './correspondence/warp';
export {
  matchWarped,
  tallyWarp,
  type WarpCorrespondenceOptions,
  type WarpMatch,
  type WarpTally,
  warpCorrespondence,
} from './correspondence/warp-correspondence';
export type { DepthFeatures, DepthTokens } from './depth/depth-features';
export { type DepthMetrics, depthMetrics } from './depth/depth-metrics';
export { type DepthOutcomeOptions, depthOutcomes } from './depth/depth-outcome';
export type {
  DepthPredictor,
  DepthProbe,
  DepthProgress,
  DepthTrainingState,
  ProbeTensor,
  TrainDepthOptions,
} from './depth/depth-probe';
export {
  DEPTH_PROTOCOLS,
  DEPTH_RANGE,
  type DepthHead,
  type DepthProtocol,
  type DepthProtocolFacts,
  depthProtocol,
  judgedDepth,
} from './depth/depth-protocol';
export { type DepthRidge, type DepthRidgeOptions, fitDepthRidge, predictDepthRidge } from './depth/depth-ridge';
export { mirroredMean, openDepthPredictor } from './depth/predict-depth';
export { type DepthSource, trainDepthProbe } from './depth/train-depth-probe';
export { type ClassAttention, type DinoSegOptions, dinoSeg } from './discovery/dino-seg';
export { boxOfCells, type Cells, type Discovery } from './discovery/discovery';
export { type DiscoveryMethod, type DiscoveryRun, discoveryOutcome } from './discovery/discovery-outcome';
export { type LostOptions, lost } from './discovery/lost';
export { type PatchProducts, patchProducts } from './discovery/patch-products';
export { type TokenCutOptions, tokenCut } from './discovery/token-cut';
export { EvalsError, type EvalsErrorCode } from './errors';
export type { Batched, LabelledFeatures, PatchFeatures, SegmentationFeatures } from './features';
export { type InContextOptions, type InContextResult, inContextSegmentation } from './in-context/in-context';
export type { InContextTrain, PlacedFeatures } from './in-context/memory-batches';
export { type PatchLabelOptions, patchLabels } from './in-context/patch-labels';
export { drawShots, type FewShotOptions, type FewShotResult, knnFewShot } from './knn/few-shot';
export { type KnnOptions, type KnnResult, type KnnScore, knn } from './knn/knn';
export {
  type LinearProbeOptions,
  type LinearProbeResult,
  linearProbe,
} from './linear-probe/linear-probe';
export {
  type ProbeFeatures,
  type ProbeInput,
  type ProbeShape,
  patchMeans,
  probeRows,
  type StoredProbeFeatures,
} from './linear-probe/probe-features';
export { OFFICIAL_LEARNING_RATES } from './linear-probe/probe-grid';
export {
  type Probe,
  type ProbeScore,
  probeOutcome,
  type ScoredProbe,
  type ScoreProbeOptions,
  scoreProbe,
} from './linear-probe/score-probe';
export { chosenRows, inMemory } from './linear-probe/stored-features';
export type { ProbeStream, StreamedBatch } from './linear-probe/train-source';
export {
  type LinearSegmentationOptions,
  type LinearSegmentationResult,
  linearSegmentation,
  type SegmentationCandidate,
} from './linear-segmentation/linear-segmentation';
export {
  type EpochSource,
  type SegmentationStream,
  type SegmentationTrain,
  takeImages,
} from './linear-segmentation/train-images';
export { type Curvature, sharedCurvature, type TurnedRows, turnBack, turnRows } from './logistic-regression/curvature';
export { type FitOptions, fitLogistic, fittedClassifier, type LogisticFit } from './logistic-regression/fit';
export {
  type LogisticRegressionOptions,
  type LogisticRegressionResult,
  logisticRegression,
} from './logistic-regression/logistic-regression';
export {
  type MultiLabelFeatures,
  type MultiLabelOptions,
  type MultiLabelResult,
  multiLabelRegression,
} from './logistic-regression/multi-label';
export { checkRegressionRoom, OFFICIAL_CS, type PenaltyOptions } from './logistic-regression/penalty';
export type { AccuracyMetric, SweepPoint } from './logistic-regression/sweep';
export {
  type CoverageCounts,
  countVisible,
  type MaskCoverageResult,
  maskCoverage,
} from './mask-coverage/mask-coverage';
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
export { elevenPointPrecision } from './metrics/average-precision';
export { type Box, type CorLoc, corLoc, iou, isHit, type Located, type LocatedScore } from './metrics/corloc';
export { boundaryAccuracy, boundaryMap, regionSimilarity } from './metrics/mask-similarity';
export { type ClusterCounts, hungarianMatch, manyToOneMatch, renamed } from './metrics/matching';
export { type AbsentClass, meanIou, perClassIou } from './metrics/mean-iou';
export { aupr, auroc, type Detection, falsePositiveRate } from './metrics/roc';
export {
  type PooledCounts,
  pooledCounts,
  type SegmentationScore,
  type SegmentationScoring,
  scoreCounts,
} from './metrics/segmentation';
export { type SequenceStatistics, sequenceStatistics } from './metrics/sequence-statistics';
export type { Extent } from './numerics/bilinear';
export { type LbfgsOptions, type LbfgsPair, type LbfgsResult, lbfgs, type Objective } from './numerics/lbfgs';
export { pythonShuffle } from './numerics/python-shuffle';
export { NEEDS_CLASSIFIER, NEEDS_TRAIN, OOD_SCORES, type OodReference, type OodScore } from './ood/confidence';
export type { LogitScore } from './ood/logit-scores';
export {
  type OodDetection,
  type OodOptions,
  type OodResult,
  type OodSets,
  oodDetection,
} from './ood/ood-detection';
export { oodMeans } from './ood/ood-means';
export {
  type EvalRecord,
  evalRecord,
  type ItemResults,
  type Json,
  type Outcome,
  type SelectedOn,
  type Subject,
} from './outcome';
export { type OverclusteringOptions, type OverclusteringResult, overclustering } from './overclustering/overclustering';
export {
  type PositionDecodabilityOptions,
  type PositionDecodabilityResult,
  positionDecodability,
} from './position-decodability/position-decodability';
export { type ClusterPositionsOptions, clusterPositions } from './position-entropy/cluster-positions';
export {
  type PositionCounts,
  type PositionEntropyOptions,
  type PositionEntropyResult,
  positionEntropy,
} from './position-entropy/position-entropy';
export type { ProgressArray, ProgressKeeper, SavedProgress } from './progress';
export { PAPER_SETTINGS, type PaperSubject, paperDifferences, paperResult } from './report/paper-results';
export { FINE_GRAINED } from './report/paper-sets';
export { PAPER_RESULTS, type PaperResult } from './report/paper-tables';
export type { Selection, SelectionOptions } from './selection';
export { type KMeans, type KMeansOptions, kMeans } from './statistics/k-means';
export { momentsOf } from './statistics/moments';
export { fitPca, type Pca, type PcaOptions, projectPca } from './statistics/pca';
export {
  type TruncationControl,
  type TruncationCurveOptions,
  type TruncationCurveResult,
  type TruncationPoint,
  truncationCurve,
} from './truncation-curve/truncation-curve';
export { type LabelledFrame, type LabelPropagation, openLabelPropagation } from './video/label-propagation';
export { type DecodeOptions, decodeMaps, firstFrameMaps } from './video/object-maps';
export { DINO_PROPAGATION, DINOV3_PROPAGATION, type PropagationOptions } from './video/propagation-settings';
export {
  type AnnotatedFrames,
  type ObjectScore,
  scoredFrames,
  scoreObjects,
  type VideoScoring,
} from './video/score-objects';
export { type ObjectTrack, type VideoRun, videoOutcomes } from './video/video-outcomes';
