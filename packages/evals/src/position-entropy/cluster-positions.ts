/** Counts of the patch positions at which each cluster occurs: every token goes to its nearest cluster. */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend } from '../backend/eval-backend';
import { checkSet, PATCHES, ROWS } from '../check-features';
import { checkArgument, checkOptions, EvalsError } from '../errors';
import { type Batched, batches, type PatchFeatures, patchTokens } from '../features';
import { checkWidths, type Matrix } from '../matrix';
import type { PositionCounts } from './position-entropy';

export interface ClusterPositionsOptions {
  /** `inner-product` for prototypes of a head, `euclidean` for k-means centroids. */
  readonly nearest: 'inner-product' | 'euclidean';
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<ClusterPositionsOptions> = { nearest: ['inner-product', 'euclidean'], backend: 'object' };

/** @param clusters prototypes or centroids `[K, D]` */
export async function clusterPositions(
  features: Batched<PatchFeatures>,
  clusters: Matrix,
  options: ClusterPositionsOptions,
): Promise<PositionCounts> {
  checkOptions('clusterPositions', options, OPTIONS);
  checkArgument('clusterPositions', 'nearest', options.nearest, OPTIONS.nearest);
  checkSet('clusterPositions: clusters', clusters, ROWS);
  const { nearest, backend = cpuBackend } = options;
  let counts: Float64Array | undefined;
  let grid: PatchFeatures['grid'] = [0, 0];
  for await (const batch of batches('clusterPositions: features', features, PATCHES)) {
    if (counts && batch.grid.join() !== grid.join()) {
      throw new EvalsError(
        'bad-features',
        `grids of ${grid.join(' x ')} and ${batch.grid.join(' x ')} patches cannot share counts`,
      );
    }
    grid = batch.grid;
    const positions = grid[0] * grid[1];
    counts ??= new Float64Array(clusters.rows * positions);
    const tokens = patchTokens(batch);
    checkWidths(tokens, clusters);
    const predicted = await (nearest === 'euclidean' ? nearestCentroids : bestPrototypes)(backend, tokens, clusters);
    const target = Int32Array.from({ length: tokens.rows }, (_, i) => i % positions);
    const part = await backend.countPairs({ predicted, target, shape: [clusters.rows, positions] });
    for (let i = 0; i < part.length; i++) counts[i]! += part[i]!;
  }
  if (!counts) throw new EvalsError('bad-features', 'there are no features to count');
  return { counts, clusters: clusters.rows, grid };
}

async function nearestCentroids(backend: EvalBackend, tokens: Matrix, centroids: Matrix): Promise<Int32Array> {
  using session = backend.openKMeans(tokens);
  return (await session.assign(centroids)).labels;
}

async function bestPrototypes(backend: EvalBackend, tokens: Matrix, prototypes: Matrix): Promise<Int32Array> {
  using search = backend.openTopK(tokens, 1);
  await search.add(prototypes);
  return (await search.result()).indices;
}
