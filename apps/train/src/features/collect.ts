/** Shards as the values that evaluations read, with the planes of RASA removed from patches. */
import type { LabelledFeatures, PatchFeatures, ProbeFeatures, SegmentationFeatures } from '@franca/evals';
import { type Basis, removePlanes } from '@franca/rasa';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';
import type { FeatureShard } from './compute-shard';
import { blockOf } from './stored-outputs';

/** Features of single images, in memory; `labelled` has the CLS tokens of the last block. */
export interface ImageFeatures {
  /** Numbers of the images in their set, in the order of the rows; those that could not be read are absent. */
  readonly images: readonly number[];
  readonly labelled: LabelledFeatures;
  readonly probe: ProbeFeatures;
}

/** What is kept of each image. */
export interface KeptFeatures {
  /** CLS tokens of so many last blocks, as far as they were computed. */
  readonly blocks: number;
  /** Mean patch tokens. */
  readonly patchMean: boolean;
}

/** The images of the set that a shard has rows of. */
export const imagesOf = (shard: FeatureShard): number[] => Array.from(shard.index!.data);

const labelsOf = (images: readonly number[], set: Pick<ImageSet, 'label'>): Int32Array =>
  Int32Array.from(images, (index) => set.label(index));

/** Features of all shards, with the labels that the set gives now; each row is copied once, to where it stays. */
export async function collectImages(
  shards: AsyncIterable<FeatureShard>,
  set: Pick<ImageSet, 'label' | 'length'>,
  planes: readonly Basis[],
  kept: KeptFeatures,
): Promise<ImageFeatures> {
  const images: number[] = [];
  let parts: { readonly dim: number; readonly blocks: Float32Array[]; readonly patchMean?: Float32Array } | undefined;
  for await (const shard of shards) {
    const [rows, computed, dim] = shard.blocks!.shape as [number, number, number];
    const room = (): Float32Array => new Float32Array(set.length * dim);
    parts ??= {
      dim,
      blocks: Array.from({ length: Math.min(kept.blocks, computed) }, room),
      ...(kept.patchMean && { patchMean: room() }),
    };
    const at = images.length * dim;
    for (const [b, part] of parts.blocks.entries())
      part.set(blockOf(shard.blocks!, computed - parts.blocks.length + b).data, at);
    parts.patchMean?.set((shard.patch_mean!.data as Float32Array).subarray(0, rows * dim), at);
    for (const index of imagesOf(shard)) images.push(index);
  }
  if (!parts) throw new TrainError('data', 'there is no image to compute features of');
  const { dim, blocks, patchMean } = parts;
  const filled = (part: Float32Array): Float32Array => part.subarray(0, images.length * dim);
  const labels = labelsOf(images, set);
  if (patchMean) removePlanes(filled(patchMean), dim, planes);
  const probe = { dim, blocks: blocks.map(filled), ...(patchMean && { patchMean: filled(patchMean) }), labels };
  return { images, labelled: { dim, cls: probe.blocks.at(-1)!, labels }, probe };
}

/** One shard as the values that evaluations read. */
export const shardFeatures = (
  shard: FeatureShard,
  set: Pick<ImageSet, 'label'>,
  planes: readonly Basis[],
  kept: KeptFeatures,
): Promise<ImageFeatures> =>
  collectImages(alone(shard), { label: set.label, length: shard.index!.data.length }, planes, kept);

async function* alone<T>(item: T): AsyncGenerator<T> {
  yield item;
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
