/**
 * The learned position table on any grid, as nodes. Each axis is resampled by a small matrix, as the engine does it, and the matrix is computed in the graph from
 * the number of patches n: entry (i, j) is K((j - s_i) / stretch), s_i = (i + 1/2) / scale - 1/2, K the cubic kernel of Keys (1981). The scale is (n + offset) / M for
 * a table of M x M, and exactly 1 where the grid is the table's own, which the matrices then leave as it is. Without antialiasing a = -3/4 and borders are repeated; with it
 * a = -1/2, stretch = max(1, 1 / scale), and rows are divided by their sums.
 *
 * With t = |j - s| / stretch, K = (u - 1)((a + 2) u^2 - u - 1) + a (v - 1)(v - 2)^2, u = t clipped to [0, 1] and v to [1, 2]: each part is zero where the other holds.
 * ONNX's own Resize is not used: antialiased and cubic it runs on few backends, and a scale in f32 may round a size down.
 */
import type { VitConfig } from '@franca/vit';
import { castTo, type GraphBuilder } from './graph-builder';

/** What is read beyond each border of the table. */
const BORDER = 2;

/** Positions of patches [1, h w, D] for a grid of h x w (i64 [1] each), from the `patches` [1, M M, D] of the table. */
export function patchPositions(
  g: GraphBuilder,
  patches: string,
  [rows, columns]: readonly [string, string],
  { embedDim: D, imgSize, patchSize, interpolateOffset, interpolateAntialias }: VitConfig,
): string {
  const M = imgSize / patchSize;
  const border = interpolateAntialias ? 0 : BORDER;
  const K = M + 2 * border;
  const table = g.add('Reshape', [patches, g.whole([M, M, D])]);
  const pads = [border, border, 0, border, border, 0];
  const padded = border === 0 ? table : g.add('Pad', [table, g.whole(pads)], { mode: 'edge' });
  const isOwn = (count: string): string => g.add('Equal', [count, g.whole([M])]);
  const own = g.add('And', [isOwn(rows), isOwn(columns)]);
  const offset = g.add('Where', [own, g.real([0]), g.real([interpolateOffset])]);
  const matrix = (count: string): string => samplingMatrix(g, count, offset, { M, border });
  const byRows = g.add('MatMul', [matrix(rows), g.add('Reshape', [padded, g.whole([K, K * D])])]);
  const byBoth = g.add('MatMul', [matrix(columns), g.add('Reshape', [byRows, g.whole([-1, K, D])])]);
  return g.add('Reshape', [byBoth, g.whole([1, -1, D])]);
}

/** The matrix [n, M + 2 border] that resamples one axis to n; `border` is 0 with antialiasing. */
function samplingMatrix(
  g: GraphBuilder,
  count: string,
  offset: string,
  { M, border }: { readonly M: number; readonly border: number },
): string {
  const antialias = border === 0;
  const n = g.add('Cast', [count], castTo('f32'));
  const step = g.add('Div', [g.real([M]), g.add('Add', [n, offset])]);
  const middles = g.add('Add', [g.add('Range', [g.real(0), g.add('Squeeze', [n]), g.real(1)]), g.real(0.5)]);
  const sources = g.add('Sub', [g.add('Mul', [middles, step]), g.real(0.5)]);
  const places = g.real(Array.from({ length: M + 2 * border }, (_, j) => j - border));
  const distances = g.add('Abs', [g.add('Sub', [g.add('Unsqueeze', [sources, g.whole([1])]), places])]);
  if (!antialias) return cubicKernel(g, distances, -0.75);
  const stretched = g.add('Div', [distances, g.add('Max', [step, g.real([1])])]);
  const weights = cubicKernel(g, stretched, -0.5);
  return g.add('Div', [weights, g.add('ReduceSum', [weights, g.whole([1])], { keepdims: 1 })]);
}

function cubicKernel(g: GraphBuilder, t: string, a: number): string {
  const clipped = (least: number, most: number): string => g.add('Clip', [t, g.real(least), g.real(most)]);
  const minus = (x: string, value: number): string => g.add('Sub', [x, g.real(value)]);
  const u = clipped(0, 1);
  const v = clipped(1, 2);
  const quadratic = minus(g.add('Mul', [minus(g.add('Mul', [u, g.real(a + 2)]), 1), u]), 1);
  const inner = g.add('Mul', [minus(u, 1), quadratic]);
  const fromEnd = minus(v, 2);
  const outer = g.add('Mul', [g.add('Mul', [g.add('Mul', [fromEnd, fromEnd]), minus(v, 1)]), g.real(a)]);
  return g.add('Add', [inner, outer]);
}
