/** What needs Node.js: features cached on disk, fingerprints of files, results as a table for a terminal. */
export {
  type FeatureCache,
  type FeatureCacheOptions,
  type FeatureClaim,
  type FeatureNeed,
  openFeatureCache,
} from './cache/feature-cache';
export type { FeatureArray, FeatureArrays, FeatureFile } from './cache/feature-file';
export type { FeatureKey, FeatureNames, FloatsOnDisk } from './cache/feature-key';
export { fingerprintFiles, hashFile } from './cache/fingerprint';
export { type CacheRoom, cacheRoom } from './cache/make-room';
export { type DescribedSeries, type FeatureSeries, listFeatures, removeFeatures } from './cache/series';
export { formatTable, type TableOptions } from './report/format-table';
