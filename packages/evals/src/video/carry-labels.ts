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

/** Runs of cells that a token sees in each source, flat: where a run begins and ends among the cells of the reach, and its first cell of the grid. */
type Runs = Int32Array;

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
    const seen = cellCount(tile.reach);
    for (let query = 0; query < queries.rows; query++) {
      const [cell, runs] = runsOf(tile, grid, query, settings);
      const own = products.subarray(query * keys.rows, (query + 1) * keys.rows);
      const into = labels.subarray(cell * channels, (cell + 1) * channels);
      mixMaps({ products: own, runs, seen, sources }, settings, into);
    }
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

/** Cell of the grid that query `query` of a tile is, and what it sees. */
function runsOf(
  { cells, reach }: Tile,
  [, columns]: Extent,
  query: number,
  { radius, neighbourhood }: Required<PropagationOptions>,
): [cell: number, runs: Runs] {
  const width = cells.right - cells.left;
  const [row, column] = [cells.top + Math.floor(query / width), cells.left + (query % width)];
  const [first, end] = [Math.max(reach.top, row - radius), Math.min(reach.bottom, row + radius + 1)];
  const runs = new Int32Array(3 * (end - first));
  for (let y = first, at = 0; y < end; y++) {
    const side = neighbourhood === 'square' ? radius : Math.floor(Math.sqrt(radius ** 2 - (y - row) ** 2));
    const [left, right] = [Math.max(reach.left, column - side), Math.min(reach.right, column + side + 1)];
    const begin = (y - reach.top) * (reach.right - reach.left) + left - reach.left;
    runs[at++] = begin;
    runs[at++] = begin + right - left;
    runs[at++] = y * columns + left;
  }
  return [row * columns + column, runs];
}

/** What one token sees: products with `seen` cells of each source, of which those of `runs` are near enough. */
interface Sight {
  readonly products: Float32Array;
  readonly runs: Runs;
  readonly seen: number;
  readonly sources: readonly Source[];
}

/** Mixes the maps of the best tokens in sight `[channels]`. */
function mixMaps(sight: Sight, { topK, temperature }: Required<PropagationOptions>, into: Float32Array): void {
  const { products, runs, seen, sources } = sight;
  const best = largest(sight, topK);
  const [least, most] = [best[0]!, best.at(-1)!];
  const sums = new Float64Array(into.length);
  let total = 0;
  for (let s = 0; s < sources.length; s++) {
    const { maps } = sources[s]!;
    for (let run = 0; run < runs.length; run += 3) {
      const shift = runs[run + 2]! - runs[run]! - s * seen;
      for (let i = s * seen + runs[run]!; i < s * seen + runs[run + 1]!; i++) {
        if (products[i]! < least) continue;
        const weight = Math.exp((products[i]! - most) / temperature);
        total += weight;
        const cell = i + shift;
        for (let c = 0; c < sums.length; c++) sums[c]! += weight * maps[cell * sums.length + c]!;
      }
    }
  }
  for (let c = 0; c < sums.length; c++) into[c] = sums[c]! / total;
}

/** The k largest products in sight, ascending; all where there are fewer. */
function largest({ products, runs, seen, sources }: Sight, k: number): Float64Array {
  let inSight = 0;
  for (let run = 0; run < runs.length; run += 3) inSight += runs[run + 1]! - runs[run]!;
  const best = new Float64Array(Math.min(k, inSight * sources.length)).fill(Number.NEGATIVE_INFINITY);
  for (let s = 0; s < sources.length; s++)
    for (let run = 0; run < runs.length; run += 3)
      for (let i = s * seen + runs[run]!; i < s * seen + runs[run + 1]!; i++) {
        const product = products[i]!;
        if (product <= best[0]!) continue;
        let at = 0;
        for (; at + 1 < best.length && best[at + 1]! < product; at++) best[at] = best[at + 1]!;
        best[at] = product;
      }
  return best;
}
