/** What of each image is kept, output by output: each is found again alone, so that an evaluation has only those computed that no other had before. */
import type { FeatureArray, FloatsOnDisk } from '@franca/evals/node';
import type { VitConfig } from '@franca/vit';
import { inputSides, type Preparation } from '../image-sets/preparation';
import type { FeatureShard, LevelTokens, PatchTokens, ShardPlan } from './compute-shard';

/** What is asked for of each image. */
export interface OutputRequest {
  /** CLS tokens of so many last blocks; default 0. */
  readonly blocks?: number | undefined;
  /** Mean patch tokens. */
  readonly patchMean?: boolean | undefined;
  /** Patch tokens: `true` for those of the last block after the final norm. */
  readonly patches?: boolean | PatchTokens | undefined;
  /** CLS and patch tokens of several blocks. */
  readonly levels?: LevelTokens | undefined;
}

/** One output, which has files of its own. */
export type StoredOutput =
  | { readonly kind: 'cls'; readonly block: number }
  | { readonly kind: 'patch-mean' }
  | { readonly kind: 'patches'; readonly patches: true | PatchTokens }
  | { readonly kind: 'levels'; readonly levels: LevelTokens };

/** Blocks are counted from 0, oldest first. */
const lastBlocks = ({ depth }: Pick<VitConfig, 'depth'>, count: number): number[] =>
  Array.from({ length: count }, (_, i) => depth - count + i);

export function outputsOf(
  config: Pick<VitConfig, 'depth'>,
  { blocks = 0, patchMean, patches, levels }: OutputRequest,
): StoredOutput[] {
  return [
    ...lastBlocks(config, blocks).map((block): StoredOutput => ({ kind: 'cls', block })),
    ...(patchMean ? [{ kind: 'patch-mean' } as const] : []),
    ...(patches ? [{ kind: 'patches', patches } as const] : []),
    ...(levels ? [{ kind: 'levels', levels } as const] : []),
  ];
}

/** In words, for its key. */
export function outputText(output: StoredOutput): string {
  switch (output.kind) {
    case 'cls':
      return `cls of block ${output.block}`;
    case 'patch-mean':
      return 'patch mean';
    case 'patches': {
      const { patches } = output;
      return patches === true ? 'patches' : `patches of block ${patches.block} ${stage(patches)}`;
    }
    case 'levels': {
      const { levels } = output;
      return `cls and patches of blocks ${levels.blocks.join(', ')} ${stage(levels)}`;
    }
  }
}

const stage = ({ norm }: { readonly norm: boolean }): string => `${norm ? 'after' : 'before'} the norm`;

/** What has to be computed for some outputs. */
export function planOf(
  outputs: readonly StoredOutput[],
): Pick<ShardPlan, 'blocks' | 'patchMean' | 'patches' | 'levels'> {
  const patches = outputs.find(({ kind }) => kind === 'patches');
  const levels = outputs.find(({ kind }) => kind === 'levels');
  return {
    blocks: outputs.flatMap((output) => (output.kind === 'cls' ? [output.block] : [])),
    patchMean: outputs.some(({ kind }) => kind === 'patch-mean'),
    patches: patches?.kind === 'patches' && patches.patches,
    levels: levels?.kind === 'levels' ? levels.levels : undefined,
  };
}

/** Extents of one output of one image. */
export function outputShape(
  output: StoredOutput,
  { embedDim, patchSize }: Pick<VitConfig, 'embedDim' | 'patchSize'>,
  preparation: Preparation,
): number[] {
  const [height, width] = inputSides(preparation);
  const N = (height / patchSize) * (width / patchSize);
  switch (output.kind) {
    case 'cls':
    case 'patch-mean':
      return [embedDim];
    case 'patches':
      return [N, embedDim];
    case 'levels':
      return [output.levels.blocks.length, 1 + N, embedDim];
  }
}

/** Bytes of numbers of these extents, and of the number of their image. */
export const bytesOfImage = (shape: readonly number[], floats: FloatsOnDisk): number =>
  4 + (floats === 'f16' ? 2 : 4) * shape.reduce((product, extent) => product * extent, 1);

/** One output of a shard that was computed by the plan of `outputs`. */
export function takeOutput(shard: FeatureShard, outputs: readonly StoredOutput[], output: StoredOutput): FeatureArray {
  switch (output.kind) {
    case 'cls': {
      const blocks = outputs.filter(({ kind }) => kind === 'cls');
      return blockOf(shard.blocks!, blocks.indexOf(output));
    }
    case 'patch-mean':
      return shard.patch_mean!;
    case 'patches':
      return shard.patches!;
    case 'levels':
      return shard.levels!;
  }
}

/** CLS tokens [n, D] of one of the blocks [n, blocks, D]; those of the only one as they are. */
export function blockOf({ shape, data }: FeatureArray, block: number): FeatureArray {
  const [rows, count, dim] = shape as [number, number, number];
  if (count === 1) return { shape: [rows, dim], data };
  const tokens = data as Float32Array;
  const out = new Float32Array(rows * dim);
  for (let i = 0; i < rows; i++)
    out.set(tokens.subarray((i * count + block) * dim, (i * count + block + 1) * dim), i * dim);
  return { shape: [rows, dim], data: out };
}

/** Puts outputs together as one shard, the way `computeShard` gives it. */
export function joinOutputs(
  index: Int32Array,
  outputs: readonly StoredOutput[],
  arrays: readonly FeatureArray[],
): FeatureShard {
  const found = (kind: StoredOutput['kind']): FeatureArray[] => arrays.filter((_, i) => outputs[i]!.kind === kind);
  const [blocks, [mean], [patches], [levels]] = [found('cls'), found('patch-mean'), found('patches'), found('levels')];
  return {
    index: { shape: [index.length], data: index },
    ...(blocks.length > 0 && { blocks: joinBlocks(blocks) }),
    ...(mean && { patch_mean: mean }),
    ...(patches && { patches }),
    ...(levels && { levels }),
  };
}

function joinBlocks(blocks: readonly FeatureArray[]): FeatureArray {
  const [rows, dim] = blocks[0]!.shape as [number, number];
  const shape = [rows, blocks.length, dim];
  if (blocks.length === 1) return { shape, data: blocks[0]!.data };
  const data = new Float32Array(rows * blocks.length * dim);
  for (const [b, block] of blocks.entries()) {
    const tokens = block.data as Float32Array;
    for (let i = 0; i < rows; i++) data.set(tokens.subarray(i * dim, (i + 1) * dim), (i * blocks.length + b) * dim);
  }
  return { shape, data };
}
