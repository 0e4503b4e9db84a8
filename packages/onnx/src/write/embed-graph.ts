/**
 * Pixels to tokens, as nodes: a convolution whose stride is its size makes patches, CLS comes first, positions are added, registers come between CLS and patches.
 * The batch and the grid are read off the pixels when the graph runs.
 */
import type { VitConfig } from '@franca/vit';
import type { GraphBuilder } from './graph-builder';
import { branchType, intoBranch, normGraph, outOfBranch } from './layer-graphs';
import { patchPositions } from './position-graph';

export interface Embedded {
  /** [B, prefix + h w, D]. */
  readonly tokens: string;
  /** Patches in a column and in a row, i64 [1] each. */
  readonly grid: readonly [rows: string, columns: string];
}

/** Tokens that come before the patches: CLS where there is one, and registers. */
export const prefixOf = ({ classToken = true, numRegisterTokens }: VitConfig): number =>
  (classToken ? 1 : 0) + numRegisterTokens;

/** `pixels` [B, 3, H, W] to the tokens that enter the first block. */
export function embedGraph(g: GraphBuilder, pixels: string, config: VitConfig): Embedded {
  const { embedDim: D, patchSize, classToken = true, numRegisterTokens, preNorm } = config;
  const projection = g.within('patch_embed.proj');
  const type = branchType(g.precision);
  const size = [patchSize, patchSize];
  const kernel = [intoBranch(g, pixels), projection.weight('weight', type), projection.weight('bias', type)];
  const maps = outOfBranch(g, projection.add('Conv', kernel, { kernel_shape: size, strides: size }));
  const sizeAt = (axis: number): string => g.add('Shape', [maps], { start: axis, end: axis + 1 });
  const grid = [sizeAt(2), sizeAt(3)] as const;
  const flat = g.add('Reshape', [maps, g.whole([0, D, -1])]);
  const patches = g.add('Transpose', [flat], { perm: [0, 2, 1] });

  const inBatch = (token: string, count: number): string =>
    g.add('Expand', [token, g.add('Concat', [sizeAt(0), g.whole([count, D])], { axis: 0 })]);
  const { cls, placed } = positioned(g.within('positions'), g, patches, grid, config);
  const parts = [
    ...(classToken ? [inBatch(cls!, 1)] : []),
    ...(numRegisterTokens > 0 ? [inBatch(g.weight('register_tokens'), numRegisterTokens)] : []),
    placed,
  ];
  const tokens = parts.length === 1 ? placed : g.add('Concat', parts, { axis: 1 });
  return { tokens: preNorm ? normGraph(g.within('norm_pre'), tokens, config) : tokens, grid };
}

/** CLS [1, 1, D], where there is one, and patches [B, N, D] with their positions, unless positions are rotary. */
function positioned(
  g: GraphBuilder,
  model: GraphBuilder,
  patches: string,
  grid: Embedded['grid'],
  config: VitConfig,
): { readonly cls: string | undefined; readonly placed: string } {
  const cls = (config.classToken ?? true) ? model.weight('cls_token') : undefined;
  if (config.ropeTheta !== undefined) return { cls, placed: patches };
  const table = model.weight('pos_embed');
  const after = (value: string): string => g.add('Slice', [value, g.whole([1]), g.whole([2 ** 31 - 1]), g.whole([1])]);
  const ofPatches = cls ? after(table) : table;
  const placed = g.add('Add', [patches, patchPositions(g, ofPatches, grid, config)]);
  if (!cls) return { cls, placed };
  const own = g.add('Slice', [table, g.whole([0]), g.whole([1]), g.whole([1])]);
  return { cls: g.add('Add', [cls, own]), placed };
}
