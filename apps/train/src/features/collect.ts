/** Shards as the values that evaluations read, with the planes of RASA removed from patches. */
import type { PatchFeatures, ProbeFeatures } from '@franca/evals';
import { type Basis, removePlanes } from '@franca/rasa';
import type { ImageSet } from '../image-sets/image-set';
import type { FeatureShard } from './compute-shard';
import { blockOf } from './stored-outputs';

/** What is kept of each image. */
export interface KeptFeatures {
  /** CLS tokens of so many last blocks. */
  readonly blocks: number;
  /** Mean patch tokens. */
  readonly patchMean: boolean;
}

/** The images of the set that a shard has rows of. */
export const imagesOf = (shard: FeatureShard): number[] => Array.from(shard.index!.data);

/** A few shards as one value, with the labels that the set gives now. */
export function shardFeatures(
  shards: readonly FeatureShard[],
  set: Pick<ImageSet, 'label'>,
  planes: readonly Basis[],
  kept: KeptFeatures,
): ProbeFeatures {
  const images = shards.flatMap(imagesOf);
  const [, computed, dim] = shards[0]!.blocks!.shape as [number, number, number];
  const blocks = Array.from({ length: kept.blocks }, (_, b) =>
    join(shards.map((shard) => blockOf(shard.blocks!, computed - kept.blocks + b).data as Float32Array)),
  );
  const patchMean = kept.patchMean ? join(shards.map(({ patch_mean }) => patch_mean!.data as Float32Array)) : undefined;
  if (patchMean) removePlanes(patchMean, dim, planes);
  const labels = Int32Array.from(images, (index) => set.label(index));
  return { dim, blocks, ...(patchMean && { patchMean }), labels };
}

/** Patch tokens of one shard. */
export function densePart(shard: FeatureShard, planes: readonly Basis[]): PatchFeatures {
  const [, N, dim] = shard.patches!.shape as [number, number, number];
  const side = Math.sqrt(N);
  const patches = shard.patches!.data as Float32Array;
  removePlanes(patches, dim, planes);
  return { dim, grid: [side, side] as const, patches };
}

/** One after the other. */
export function join(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
