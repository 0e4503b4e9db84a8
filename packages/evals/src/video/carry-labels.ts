/**
 * One step of label propagation: the labels of a frame from those of its sources.
 *
 * Token i looks at the tokens j of all sources that lie within the radius of its own place. Of their cosines c_ij it keeps those at least as large as the k-th
 * largest, so that equal ones are kept together, and mixes their maps with weights that sum to 1:
 *
 *   w_ij = exp(c_ij / T) / sum over the kept l of exp(c_il / T)        map_i = sum_j w_ij map_j
 *
 * Products come from the backend, a tile of tokens against what it can see in all sources; the choice is made here in one order, source by source and
 * row by row, with sums in f64.
 */
import type { EvalBackend } from '../backend/eval-backend';
import type { Matrix } from '../matrix';
import type { Extent } from '../numerics/bilinear';
import type { PropagationOptions } from './propagation-settings';
import { type CellRectangle, cellCount, type Tile, tilesOf } from './tiles';

/** A frame with labels: unit-norm tokens `[N, D]` and maps `[N, channels]`. */
export interface Source {
  readonly tokens: Matrix;
  readonly maps: Float32Array;
}

/** The maps `[N, channels]` of a frame with unit-norm `tokens` on `grid`. */
export async function carryLabels(
  backend: EvalBackend,
  tokens: Matrix,
  sources: readonly Source[],
  grid: Extent,
  settings: Required<PropagationOptions>,
): Promise<Float32Array> {
  const channels = sources[0]!.maps.length / tokens.rows;
  const labels = new Float32Array(tokens.rows * channels);
  for (const tile of tilesOf(grid, settings.radius, sources.length)) {
    const queries = rowsOf([tokens], grid, tile.cells);
    const keys = rowsOf(
      sources.map((source) => source.tokens),
      grid,
      tile.reach,
    );
    const products = await backend.products(queries, keys);
    const search = openSearch(tile, grid, sources, settings);
    for (let query = 0; query < queries.rows; query++)
      search(query, products.subarray(query * keys.rows, (query + 1) * keys.rows), labels);
  }
  return labels;
}

/** Rows of a rectangle of cells, of each matrix one behind the other. */
function rowsOf(matrices: readonly Matrix[], [, columns]: Extent, { top, bottom, left, right }: CellRectangle): Matrix {
  const cols = matrices[0]!.cols;
  const rows = matrices.length * (bottom - top) * (right - left);
  const data = new Float32Array(rows * cols);
  let at = 0;
  for (const matrix of matrices)
    for (let row = top; row < bottom; row++) {
      const run = matrix.data.subarray((row * columns + left) * cols, (row * columns + right) * cols);
      data.set(run, at);
      at += run.length;
    }
  return { data, rows, cols };
}

/** How far to the left and right a token sees in each row of its neighbourhood, from the top one on. */
function widthsOf({ radius, neighbourhood }: Required<PropagationOptions>): readonly number[] {
  return Array.from({ length: 2 * radius + 1 }, (_, i) =>
    neighbourhood === 'square' ? radius : Math.floor(Math.sqrt(radius ** 2 - (i - radius) ** 2)),
  );
}

/** Mixes the maps of what a token sees into its row of `labels`, by its products with the reach of the tile in all sources. */
type Search = (query: number, products: Float32Array, labels: Float32Array) => void;

function openSearch(
  { cells, reach }: Tile,
  [, columns]: Extent,
  sources: readonly Source[],
  settings: Required<PropagationOptions>,
): Search {
  const { radius, topK, temperature } = settings;
  const widths = widthsOf(settings);
  const [width, seen] = [reach.right - reach.left, cellCount(reach)];
  const best = new Float64Array(topK);
  // those that were among the best when they were met
  const met = new Int32Array(seen * sources.length);

  function meet(row: number, column: number, products: Float32Array): number {
    best.fill(Number.NEGATIVE_INFINITY);
    let count = 0;
    for (let s = 0; s < sources.length; s++)
      for (let y = Math.max(reach.top, row - radius); y < Math.min(reach.bottom, row + radius + 1); y++) {
        const aside = widths[y - row + radius]!;
        const start = s * seen + (y - reach.top) * width - reach.left;
        const end = start + Math.min(reach.right, column + aside + 1);
        for (let i = start + Math.max(reach.left, column - aside); i < end; i++) {
          const product = products[i]!;
          if (product < best[0]!) continue;
          met[count++] = i;
          insert(best, product);
        }
      }
    return count;
  }

  return (query, products, labels) => {
    const across = cells.right - cells.left;
    const [row, column] = [cells.top + Math.floor(query / across), cells.left + (query % across)];
    const count = meet(row, column, products);
    const channels = sources[0]!.maps.length / sources[0]!.tokens.rows;
    const sums = new Float64Array(channels);
    let total = 0;
    for (let m = 0; m < count; m++) {
      const i = met[m]!;
      if (products[i]! < best[0]!) continue;
      const weight = Math.exp((products[i]! - best[topK - 1]!) / temperature);
      const place = i % seen;
      const cell = (reach.top + Math.floor(place / width)) * columns + reach.left + (place % width);
      const { maps } = sources[Math.floor(i / seen)]!;
      for (let c = 0; c < channels; c++) sums[c]! += weight * maps[cell * channels + c]!;
      total += weight;
    }
    const into = (row * columns + column) * channels;
    for (let c = 0; c < channels; c++) labels[into + c] = sums[c]! / total;
  };
}

/** Puts a value into the ascending list of the best; the least goes. */
function insert(best: Float64Array, value: number): void {
  let at = 0;
  for (; at + 1 < best.length && best[at + 1]! < value; at++) best[at] = best[at + 1]!;
  best[at] = value;
}
