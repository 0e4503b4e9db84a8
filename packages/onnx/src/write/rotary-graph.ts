/**
 * Rotary positions as nodes (Su et al. 2021, in two dimensions as DINOv3 has them). Patch centres lie in [-1, 1] on each axis; with d numbers a head, the angles of
 * a patch at (y, x) are 2 pi y f_i and 2 pi x f_i, f_i = theta^(-i / (d / 4)), i < d / 4, and these d / 2 angles twice. Queries and keys of patches turn by them,
 * q cos + rotateHalf(q) sin; those of CLS and registers do not.
 */
import type { VitConfig } from '@franca/vit';
import { castTo, type GraphBuilder } from './graph-builder';
import { branchType } from './layer-graphs';

/** What turns queries and keys: cosines and sines [N, d] in the type of branches. */
export interface Rotation {
  readonly cos: string;
  readonly sin: string;
  /** Tokens before the patches. */
  readonly prefix: number;
  /** Numbers of a head, d. */
  readonly width: number;
}

/** The rotation of a grid: numbers of rows and columns as i64 [1]. */
export function rotationGraph(
  g: GraphBuilder,
  [rows, columns]: readonly [string, string],
  config: VitConfig,
  prefix: number,
): Rotation {
  const width = config.embedDim / config.numHeads;
  const quarter = width / 4;
  const frequencies = Array.from({ length: quarter }, (_, i) => 2 * Math.PI * config.ropeTheta! ** (-i / quarter));
  const angles = (count: string): string =>
    g.add('Mul', [g.add('Unsqueeze', [centres(g, count), g.whole([1])]), g.real(frequencies)]);
  const spread = g.add('Concat', [rows, columns, g.whole([quarter])], { axis: 0 });
  const y = g.add('Expand', [g.add('Unsqueeze', [angles(rows), g.whole([1])]), spread]);
  const x = g.add('Expand', [g.add('Unsqueeze', [angles(columns), g.whole([0])]), spread]);
  const all = g.add('Reshape', [g.add('Concat', [y, x, y, x], { axis: -1 }), g.whole([-1, width])]);
  const cast = (value: string): string =>
    branchType(g.precision) === 'f16' ? g.add('Cast', [value], castTo('f16')) : value;
  return { cos: cast(g.add('Cos', [all])), sin: cast(g.add('Sin', [all])), prefix, width };
}

/** Centres of `count` patches in [-1, 1]: 2 (i + 1/2) / count - 1. */
function centres(g: GraphBuilder, count: string): string {
  const real = g.add('Cast', [g.add('Squeeze', [count])], castTo('f32'));
  const middles = g.add('Add', [g.add('Range', [g.real(0), real, g.real(1)]), g.real(0.5)]);
  return g.add('Sub', [g.add('Mul', [g.add('Div', [middles, real]), g.real(2)]), g.real(1)]);
}

/** Queries or keys [B, heads, tokens, d], those of patches turned. */
export function rotated(g: GraphBuilder, x: string, { cos, sin, prefix, width }: Rotation): string {
  const slice = (value: string, axis: number, from: number, to: number): string =>
    g.add('Slice', [value, g.whole([from]), g.whole([to]), g.whole([axis])]);
  const patches = prefix === 0 ? x : slice(x, 2, prefix, END);
  const swapped = g.add(
    'Concat',
    [g.add('Neg', [slice(patches, 3, width / 2, END)]), slice(patches, 3, 0, width / 2)],
    {
      axis: -1,
    },
  );
  const turned = g.add('Add', [g.add('Mul', [patches, cos]), g.add('Mul', [swapped, sin])]);
  return prefix === 0 ? turned : g.add('Concat', [slice(x, 2, 0, prefix), turned], { axis: 2 });
}

/** Past any end of an axis. */
const END = 2 ** 31 - 1;
