export type { AxisOptions } from './charts/axes';
export { type BarChartOptions, type BarSeries, barChart } from './charts/bar-chart';
export {
  smooth,
  type TrainingCurveOptions,
  type TrainingSeries,
  type TruncationSeries,
  trainingCurves,
  truncationCurve,
} from './charts/curves';
export { type HeatMapOptions, type HeatPanel, heatMapFigure } from './charts/heat-map';
export { type Bins, binValues, type HistogramOptions, type HistogramSeries, histogramChart } from './charts/histogram';
export { contactSheet, type GridCell, type GridRow, type ImageGridOptions, imageGrid } from './charts/image-grid';
export { type Interval, type IntervalPlotOptions, intervalPlot } from './charts/interval-plot';
export { type LineChartOptions, lineChart, type Series } from './charts/line-chart';
export type { RowChartOptions } from './charts/row-frame';
export {
  type ColormapName,
  colormapColour,
  colormapTable,
  colourise,
  extent,
  quantile,
  SERIES_COLOURS,
  vocColour,
} from './drawing/colormap';
export type { Grid } from './drawing/grid';
export {
  filledImage,
  IMAGENET_NORMALISATION,
  type ImageBatch,
  imageFromTensor,
  type Normalisation,
  type PixelImage,
  type Rgb,
  rgbImage,
} from './drawing/image';
export { encodePng, pngDataUri } from './drawing/png';
export { type ImageSize, type Resampling, resample, resizeImage } from './drawing/resample';
export type { Figure } from './drawing/svg';
export { VizError, type VizErrorCode } from './errors';
export {
  type AttentionFigureOptions,
  attentionFigure,
  renderAttention,
} from './figures/attention-figure';
export {
  type AttentionFeatures,
  type AttentionMaps,
  type AttentionShape,
  attentionMaps,
  clsAttentionFromMatrix,
  clsAttentionFromQkv,
  massMask,
  type QkvFeatures,
} from './figures/attention-map';
export { type DepthFigureOptions, type DepthItem, depthFigure } from './figures/depth-figure';
export {
  type DiscoveryFigureOptions,
  type DiscoveryItem,
  discoveryFigure,
  type PixelBox,
} from './figures/discovery-figure';
export {
  type ClusterPositions,
  normalisedEntropy,
  type PositionMapsOptions,
  positionEntropyChart,
  positionMapsFigure,
} from './figures/entropy-figure';
export {
  type CoverageStatistics,
  coverageStatistics,
  type MaskCoverage,
  type MaskedPicture,
  maskCoverageFigure,
  maskSheet,
} from './figures/mask-figure';
export {
  type MatchedPictures,
  type MatchesFigureOptions,
  matchesFigure,
  type PicturePlace,
  type PointMatch,
} from './figures/matches-figure';
export {
  type HeatOverlayOptions,
  heatOverlay,
  type MaskOverlayOptions,
  maskOverlay,
  type SegmentationOverlayOptions,
  segmentationOverlay,
} from './figures/overlay';
export { type PrototypeUsage, prototypeUsage, prototypeUsageChart } from './figures/prototype-usage';
export {
  type LabelMap,
  type SegmentationFigureOptions,
  type SegmentationItem,
  segmentationFigure,
} from './figures/segmentation-figure';
export { type PcaFigureOptions, pcaFigure } from './pca/pca-figure';
export {
  type PatchFeatures,
  type PcaMap,
  type PcaMapOptions,
  type PcaMaps,
  type PcaRenderOptions,
  pcaMaps,
  renderPcaMap,
} from './pca/pca-map';
export {
  type ForegroundRule,
  PCA_RECIPES,
  type PcaRecipe,
  type PcaRecipeName,
  type ScoreScale,
} from './pca/pca-recipe';
export {
  componentScores,
  type FeatureRows,
  type PrincipalComponents,
  principalComponents,
} from './pca/principal-components';
export { htmlReport, type Report, type ReportImage, type ReportSection, type ReportTable } from './report/html-report';
