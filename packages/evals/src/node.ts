/** What needs Node.js: features cached on disk, fingerprints of files, results as a table for a terminal. */
export {
  type FeatureArray,
  type FeatureArrays,
  type FeatureCache,
  type FeatureCacheOptions,
  type FeatureKey,
  openFeatureCache,
} from './cache/feature-cache';
export { fingerprintFiles, hashFile } from './cache/fingerprint';
export { formatTable, type TableOptions } from './report/format-table';
