export {
  type AttentionFigureItem,
  type AttentionFigureOptions,
  attentionFigure,
  renderAttention,
} from './attention-figure';
export {
  attentionHead,
  type ClsAttention,
  clsAttentionFromMatrix,
  clsAttentionFromQkv,
  massMask,
  meanAttention,
  type QkvShape,
} from './attention-map';
export type { AxisOptions } from './axes';
export {
  type ColormapName,
  colormapColour,
  colormapTable,
  colourise,
  extent,
  quantile,
  seriesColours,
  vocColour,
} from './colormap';
export {
  smooth,
  type TrainingCurveOptions,
  type TrainingSeries,
  type TruncationSeries,
  trainingCurves,
  truncationCurve,
} from './curves';
export {
  type ClusterPositions,
  normalisedEntropy,
  type PositionMapsOptions,
  positionEntropyChart,
  positionMapsFigure,
} from './entropy-figure';
export { VizError, type VizErrorCode } from './errors';
export { type HeatMapOptions, type HeatPanel, heatMapFigure } from './heat-map';
export { type Bins, binValues, type HistogramOptions, type HistogramSeries, histogramChart } from './histogram';
export { htmlReport, type Report, type ReportImage, type ReportSection, type ReportTable } from './html-report';
export {
  filledImage,
  imageFromTensor,
  imagenetNormalisation,
  type Normalisation,
  type Rgb,
  type RgbImage,
  rgbImage,
} from './image';
export { contactSheet, type GridCell, type GridRow, type ImageGridOptions, imageGrid } from './image-grid';
export { type LineChartOptions, lineChart, type Series } from './line-chart';
export {
  type CoverageStatistics,
  coverageStatistics,
  type MaskCoverage,
  type MaskedPicture,
  maskCoverageFigure,
  maskSheet,
} from './mask-figure';
export {
  type HeatOverlayOptions,
  heatOverlay,
  type MaskOverlayOptions,
  maskOverlay,
  type SegmentationOverlayOptions,
  segmentationOverlay,
} from './overlay';
export { type FeatureRows, fitPca, type Pca, projectPca } from './pca';
export { type PcaFigureItem, type PcaFigureOptions, pcaFigure } from './pca-figure';
export {
  type PatchFeatures,
  type PcaMap,
  type PcaMapOptions,
  type PcaMaps,
  type PcaRenderOptions,
  pcaMaps,
  renderPcaMap,
} from './pca-map';
export { type ForegroundRule, type PcaRecipe, type PcaRecipeName, pcaRecipes, type ScoreScale } from './pca-recipe';
export { encodePng, pngDataUri } from './png';
export { type PrototypeUsage, prototypeUsage, prototypeUsageChart } from './prototype-usage';
export { type GridSize, type Resampling, resample, resizeImage } from './resample';
export {
  type LabelMap,
  type SegmentationFigureOptions,
  type SegmentationItem,
  segmentationFigure,
} from './segmentation-figure';
export type { Figure } from './svg';
