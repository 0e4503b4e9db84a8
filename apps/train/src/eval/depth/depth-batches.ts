/**
 * Tokens of several blocks with the depth of the same pictures, in batches: from the cache of features, shard by shard, or of views drawn anew, of which nothing is kept.
 * No set has to fit in memory. Pictures or depth maps that cannot be read are left out and counted; while a probe learns each keeps its place, empty, so that every epoch has as many batches.
 */
import { isImageError } from '@franca/data';
import type { DepthFeatures } from '@franca/evals';
import { imagesOf } from '../../features/collect';
import { type FeatureShard, type LevelTokens, passing } from '../../features/compute-shard';
import type { FeatureSession } from '../../features/session';
import type { DepthImages } from '../../image-sets/depth-set';
import { type DepthView, depthOfView } from '../../image-sets/depth-view';
import { type DepthPreparation, inputSides, type Sides } from '../../image-sets/preparation';

/** What is read of a picture. */
export interface DepthReading {
  readonly levels: LevelTokens;
  /** Whether each patch is joined with the CLS token. */
  readonly joinCls: boolean;
  readonly preparation: DepthPreparation;
  readonly depthSize: Sides;
}

export interface DepthBatching {
  readonly batchSize: number;
  /** Whether a last batch that is not full is left out. */
  readonly dropLast?: boolean;
  /** Whether a picture that cannot be read is there as zeros, without any reading. */
  readonly keepPlaces?: boolean;
  /** Whether features are computed and not kept; so they are of views that are drawn. */
  readonly fresh?: boolean;
  /** Draws views anew; default: the views as they are, from the cache. */
  readonly pass?: { readonly seed: number; readonly pass: number } | undefined;
}

/** Features with the numbers of their pictures in the set. */
export interface DepthBatch extends DepthFeatures {
  readonly images: readonly number[];
}

export async function* depthBatches(
  session: FeatureSession,
  set: DepthImages,
  reading: DepthReading,
  { batchSize, dropLast = false, keepPlaces = false, fresh = false, pass }: DepthBatching,
): AsyncGenerator<DepthBatch> {
  const view: DepthView = { ...reading.preparation.view, ...(pass && { draw: pass }) };
  const preparation = { ...reading.preparation, view };
  const request = { preparation, levels: reading.levels };
  const images = Array.from({ length: set.length }, (_, index) => index);
  const shards =
    pass || fresh ? session.fresh(set, { ...request, images, perShard: batchSize }) : session.shards(set, request);
  let rows: Row[] = [];
  const read = rowsOf(shards, session, set, { view, depthSize: reading.depthSize });
  for await (const row of keepPlaces ? allPlaces(read, set.length) : read) {
    rows.push(row);
    if (rows.length < batchSize) continue;
    yield joined(rows, session, reading);
    rows = [];
  }
  if (rows.length > 0 && !dropLast) yield joined(rows, session, reading);
}

/** One picture: its tokens [levels, 1 + N, D], which are a part of their shard, and its depth; both of no length where it could not be read. */
interface Row {
  readonly index: number;
  readonly tokens: Float32Array;
  readonly depth: Float32Array;
}

async function* rowsOf(
  shards: AsyncIterable<FeatureShard>,
  { leftOut }: FeatureSession,
  set: DepthImages,
  { view, depthSize }: { readonly view: DepthView; readonly depthSize: Sides },
): AsyncGenerator<Row> {
  for await (const shard of shards) {
    const tokens = shard.levels!.data as Float32Array;
    const each = tokens.length / shard.levels!.shape[0]!;
    for (const [row, index] of imagesOf(shard).entries()) {
      const map = await set.depth(index).catch((error: unknown) => {
        if (!isImageError(error)) throw error;
        if (error.code === 'unreadable-now') throw passing(set, index, error);
        leftOut.add(set, index, error.message);
      });
      if (!map) continue;
      const depth = depthOfView(map, view, index, depthSize);
      yield { index, tokens: tokens.subarray(row * each, (row + 1) * each), depth };
    }
  }
}

/** Rows in the order of the set, with an empty one in the place of each that is missing. */
async function* allPlaces(rows: AsyncIterable<Row>, length: number): AsyncGenerator<Row> {
  const empty = (index: number): Row => ({ index, tokens: new Float32Array(0), depth: new Float32Array(0) });
  let next = 0;
  for await (const row of rows) {
    for (; next < row.index; next++) yield empty(next);
    yield row;
    next++;
  }
  for (; next < length; next++) yield empty(next);
}

function joined(rows: readonly Row[], { model }: FeatureSession, reading: DepthReading): DepthBatch {
  const { joinCls, levels, preparation, depthSize } = reading;
  const { embedDim: D, patchSize } = model.config;
  const [height, width] = inputSides(preparation);
  const grid = [height / patchSize, width / patchSize] as const;
  const N = grid[0] * grid[1];
  const dim = joinCls ? 2 * D : D;
  const depths = new Float32Array(rows.length * depthSize[0] * depthSize[1]);
  const out = levels.blocks.map(() => new Float32Array(rows.length * N * dim));
  for (const [i, { tokens, depth }] of rows.entries()) {
    if (depth.length === 0) continue;
    depths.set(depth, i * depth.length);
    for (const [l, level] of out.entries()) {
      const from = l * (1 + N) * D;
      const cls = tokens.subarray(from, from + D);
      for (let n = 0; n < N; n++) {
        const to = (i * N + n) * dim;
        level.set(tokens.subarray(from + (1 + n) * D, from + (2 + n) * D), to);
        if (joinCls) level.set(cls, to + D);
      }
    }
  }
  return { dim, grid, levels: out, depthSize, depths, images: rows.map(({ index }) => index) };
}
