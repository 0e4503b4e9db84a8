/** Shards as the values that evaluations read, with the planes of RASA removed from patches. */
import type { LabelledFeatures, PatchFeatures, ProbeFeatures, SegmentationFeatures } from '@franca/evals';
import { type Basis, removePlanes } from '@franca/rasa';
import type { ImageSet } from '../image-sets/image-set';
import type { FeatureShard } from './compute-shard';

/** Features of single images, in memory. */
export interface ImageFeatures {
  readonly labelled: LabelledFeatures;
  readonly probe: ProbeFeatures;
}

/** The images of the set that a shard has rows of. */
export const imagesOf = (shard: FeatureShard): number[] => Array.from(shard.index!.data);

/** CLS tokens and patch means of all shards, with the labels that the set gives now. */
export async function collectImages(
  shards: AsyncIterable<FeatureShard>,
  set: Pick<ImageSet, 'label'>,
  planes: readonly Basis[],
): Promise<ImageFeatures> {
  const all: FeatureShard[] = [];
  for await (const shard of shards) all.push(shard);
  const [, count, dim] = all[0]!.blocks!.shape as [number, number, number];
  const tokens = join(all.map((shard) => shard.blocks!.data as Float32Array));
  const labels = Int32Array.from(all.flatMap(imagesOf), (index) => set.label(index));
  const blocks = Array.from({ length: count }, (_, b) => {
    const block = new Float32Array(labels.length * dim);
    for (let i = 0; i < labels.length; i++)
      block.set(tokens.subarray((i * count + b) * dim, (i * count + b + 1) * dim), i * dim);
    return block;
  });
  const patchMean = join(all.map((shard) => shard.patch_mean!.data as Float32Array));
  removePlanes(patchMean, dim, planes);
  return { labelled: { dim, cls: blocks.at(-1)!, labels }, probe: { dim, blocks, patchMean, labels } };
}

/** Patch tokens of one shard. */
export function densePart(shard: FeatureShard, planes: readonly Basis[]): PatchFeatures {
  const [, N, dim] = shard.patches!.shape as [number, number, number];
  const side = Math.sqrt(N);
  const patches = shard.patches!.data as Float32Array;
  removePlanes(patches, dim, planes);
  return { dim, grid: [side, side] as const, patches };
}

/** All shards as one value, for what has to be in memory whole. */
export async function collectDense(parts: AsyncIterable<SegmentationFeatures>): Promise<SegmentationFeatures> {
  const all: SegmentationFeatures[] = [];
  for await (const part of parts) all.push(part);
  return {
    ...all[0]!,
    patches: join(all.map(({ patches }) => patches)),
    masks: join(all.map(({ masks }) => masks)),
  };
}

function join<T extends Float32Array | Uint8Array>(parts: readonly T[]): T {
  if (parts.length === 1) return parts[0]!;
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const out = new (parts[0]!.constructor as { new (length: number): T })(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
