/**
 * The frame of attention kernels on subgroup matrices (`matrices.ts`). A workgroup owns a tile of rows of one head, each of its subgroups the M
 * rows of a matrix, and walks over the columns C at a time. The tokens of its rows are matrices that stay in registers; those of the columns lie in
 * workgroup memory as f16, the tokens of the next step on their way into a second buffer while these are used. A step is
 *
 *     scores = rows columnsᵀ     by matrices, to workgroup memory as f32      | barrier
 *     weights of the scores      by lanes, which see elements, to f16          | barrier
 *     sums += weights columns    by matrices, whose sums stay in registers
 *
 * A subgroup reads only the scores and weights that it wrote itself, and a buffer was read for the last time two barriers before it is
 * overwritten: a step needs no third one. Element access to the sums is needed only when they leave, through the memory of the
 * scores. Columns that do not exist are left out by the matrix, and so are subgroups without rows: with M = N = K = 16, of 257 tokens (17
 * matrices, both ways) 89 % of the arithmetic is of use, of 50 tokens 61 %.
 */
import { range } from '../../base/whole-numbers';
import type { Kernel } from '../../graph/op';
import { kernelBuilder } from '../../kernels/kernel-builder';
import { computeScores, declareSums, readScores } from './matrix-areas';
import { type ColumnValue, nextColumns, rowMatrices } from './matrix-copies';
import type { MatrixKernel, MatrixScope } from './matrix-scope';
import { columnUnit, laneColumns, scorePitch, stagedRows, tileRows, tokenPitch, weightPitch } from './matrix-tile';
import { MATRIX_KINDS, productFlops } from './problem';
import { tokenScope } from './tokens';

/** Statements of a kernel. */
export interface MatrixParts {
  /** Variables that lanes share. */
  readonly workgroupMemory?: string;
  /** Before the columns. */
  readonly before?: string;
  /** Values per column that lanes want. */
  readonly perColumn?: readonly ColumnValue[];
  /** What lanes make of their scores. Columns that do not exist have very low `s`. */
  readonly weights: string;
  /** What stands in place of the barrier after it. */
  readonly barrier?: string;
  /** The products with the weights. */
  readonly products: string;
  /** What becomes of the sums. */
  readonly after: string;
}

/**
 * In scope of the parts: `head` among all B H, `working` (whether the subgroup has rows), `row` (the lane's), `column0` (first of the step), `left`
 * (columns from there on), `computed` (of these, so many are computed now), `step` (which buffer holds them, 0 or 1) and `at` (where the lane's
 * share of a row begins, in vec4).
 */
export function matrixKernel(kernel: MatrixKernel, parts: (scope: MatrixScope) => MatrixParts): Kernel {
  const { label, dims, target, tile, areas, products, rows, sums } = kernel;
  const { B, H, d } = dims;
  const { M, lanes, subgroups, columns } = tile;
  const k = kernelBuilder(label, target);
  k.enable('f16');
  const tiles = Math.ceil(dims.N / tileRows(tile));
  const [grid, groups, N] = [k.uniform(tiles), k.uniform(B * H * tiles), k.uniform(dims.N)];
  const tokens = tokenScope(k, dims);
  const scope: MatrixScope = { ...kernel, k, tokens, N, vectors: range(laneColumns(tile) / 4) };
  const { workgroupMemory = '', perColumn = [], ...own } = parts(scope);
  const next = nextColumns(scope, perColumn);
  const unit = columnUnit(tile);
  const ownRows = rows.map((from, i) => rowMatrices(scope, from, i));
  // everything that the first step waits for is asked for at once
  const work = `
${next.declarations}
${ownRows.map(({ fetch }) => fetch).join('\n')}
${next.fetch('0u')}
${ownRows.map(({ declare }) => declare).join('\n')}
  ${sums.map((name) => declareSums(scope, name)).join('\n  ')}
${own.before ?? ''}
${next.keep('0u')}
  workgroupBarrier();
  for (var column0 = 0u; column0 < ${N}; column0 += ${columns}u) {
    let left = ${N} - column0;
    let computed = min(${columns}u, (left + ${unit - 1}u) / ${unit}u * ${unit}u);
    let step = column0 / ${columns}u % 2u;
${next.fetch(`(column0 + ${columns}u)`)}
    if (working) {
${range(areas.scores)
  .map((area) => computeScores(scope, area))
  .join('\n')}
    }
    workgroupBarrier();
${next.keep('(1u - step)')}
    if (working) {
${readScores(scope)}
${own.weights}
    }
    ${own.barrier ?? 'workgroupBarrier();'}
    if (working) {
${own.products}
    }
  }
${own.after}`;
  return k.build({
    declarations: `
var<workgroup> tokens: array<vec4<u32>, ${stagedRows(tile) * tokenPitch(d)}>;
var<workgroup> scores: array<vec4<f32>, ${areas.scores * tileRows(tile) * scorePitch(tile)}>;
var<workgroup> weights: array<vec4<u32>, ${areas.weights * tileRows(tile) * weightPitch(tile)}>;
${next.workgroupMemory}
${workgroupMemory}`,
    body: `
  if (group >= ${groups}) { return; }
  let head = group / ${grid};
  let row0 = group % ${grid} * ${tileRows(tile)}u;
  let working = row0 + sgId * ${M}u < ${N};
  let ownRow = sgId * ${M}u + sgLane % ${M}u;
  let row = row0 + ownRow;
  let at = sgLane / ${M}u * ${laneColumns(tile) / 4}u;
${tokens.declarations()}
${work}`,
    workgroupSize: subgroups * lanes,
    workgroups: B * H * tiles,
    kind: MATRIX_KINDS[label],
    flops: products * productFlops(dims),
    serial: 1,
    touched: tokens.touched(),
  });
}
