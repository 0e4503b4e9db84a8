/** What the methods of object discovery read, out of one forward pass of a whole picture: tokens of the patches, or the attention of CLS to them. */
import type { PatchFeatures } from '@franca/evals';
import { type Basis, removePlanes } from '@franca/rasa';
import type { Features } from '@franca/vit';
import { clsAttentionFromQkv } from '@franca/viz';
import type { Feature, Layer, Setting } from './settings';

/** Blocks whose queries, keys and values, and blocks whose patch tokens are wanted, each in order. */
export interface PictureRequest {
  readonly blockQkv: readonly number[];
  readonly blockPatches: readonly number[];
}

export type PictureFeatures = Pick<
  Features<PictureRequest>,
  'dim' | 'grid' | 'heads' | 'prefixTokens' | 'blockPatches' | 'blockQkv'
>;

/** What stands for the output of a model that gives nothing else. */
const ONLY_BLOCK = 0;

/** What one pass has to give for all settings. */
export function requestOf(settings: readonly Setting[]): PictureRequest {
  const isOutput = (setting: Setting): boolean => setting.method !== 'dino-seg' && setting.feature === 'output';
  const layers = (wanted: readonly Setting[]): number[] =>
    [...new Set(wanted.map(({ layer = ONLY_BLOCK }) => layer))].sort((a, b) => a - b);
  return {
    blockQkv: layers(settings.filter((setting) => !isOutput(setting))),
    blockPatches: layers(settings.filter(isOutput)),
  };
}

const PARTS: Readonly<Record<Exclude<Feature, 'output'>, number>> = { query: 0, key: 1, value: 2 };

/**
 * Tokens of the patches of one picture. Queries, keys and values are those of all heads side by side, without CLS and registers; `output` is the block's
 * after the final norm, without the planes of RASA.
 */
export function tokensOf(
  features: PictureFeatures,
  request: PictureRequest,
  { feature, layer = ONLY_BLOCK }: { readonly feature: Feature; readonly layer: Layer },
  planes: readonly Basis[],
): PatchFeatures {
  const { dim, grid, prefixTokens } = features;
  if (feature === 'output') {
    const patches = features.blockPatches[request.blockPatches.indexOf(layer)]!.slice();
    removePlanes(patches, dim, planes);
    return { dim, grid, patches };
  }
  const qkv = features.blockQkv[request.blockQkv.indexOf(layer)]!;
  const patches = new Float32Array(grid[0] * grid[1] * dim);
  for (let n = 0; n < grid[0] * grid[1]; n++) {
    const at = (prefixTokens + n) * 3 * dim + PARTS[feature] * dim;
    patches.set(qkv.subarray(at, at + dim), n * dim);
  }
  return { dim, grid, patches };
}

/** Attention of CLS to the patches of one picture, [heads, N]. */
export function attentionOf(features: PictureFeatures, request: PictureRequest, layer: number): Float32Array {
  const { dim, grid, heads, prefixTokens } = features;
  const qkv = features.blockQkv[request.blockQkv.indexOf(layer)]!;
  const { attention } = clsAttentionFromQkv({ qkv, dim, grid, heads, prefixTokens });
  const N = grid[0] * grid[1];
  const patches = new Float32Array(heads * N);
  for (let h = 0; h < heads; h++) {
    const end = (h + 1) * (prefixTokens + N);
    patches.set(attention.subarray(end - N, end), h * N);
  }
  return patches;
}
