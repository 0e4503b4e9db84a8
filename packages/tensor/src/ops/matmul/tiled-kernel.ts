/** The frame of tiled matmul kernels: a workgroup per tile of C, loads of operands, a store with the epilogue. */
import type { Kernel, KernelKind, Scratch } from '../../graph/op';
import { programWidth, writeProgram } from '../../kernels/elementwise-program';
import { elementType, type KernelBuilder, kernelBuilder } from '../../kernels/kernel-builder';
import { writeLoad } from './operand';
import type { MatmulProblem } from './problem';

export interface Tiling {
  /** Rows and columns of C per workgroup. */
  readonly rows: number;
  readonly columns: number;
  readonly workgroupSize: number;
  /** k per step of the main loop. */
  readonly depth: number;
  /** The kernel loads a step ahead, and so past the last k. */
  readonly prefetches?: boolean;
  /** An invocation stores results of one group of four columns alone, and calls `atColumn(column)` before the first. */
  readonly oneGroup?: boolean;
  /** Default `product`. */
  readonly kind?: KernelKind;
  /** Rows of tiles that are computed together (default 1: row by row). */
  readonly bandRows?: number;
}

/** A kernel of tiles in the making: what its operands are bound to, and what makes a kernel of a body. */
export interface TileFrame {
  readonly k: KernelBuilder;
  build(body: string, declarations: readonly string[]): Kernel;
}

/**
 * Builds a kernel of one workgroup per tile of C. In scope of its body: `z` (batch), `tileRow` and `tileColumn` (first element of the
 * tile), `firstK` and `endK` (the range of k to sum), `M`, `loadA`, `loadB` and `store(outer, row, column, values)` for four values of a
 * row, which ignores what lies outside C; with `oneGroup` also `atColumn(column)`.
 */
export function tiledKernel(
  problem: MatmulProblem,
  tiling: Tiling,
  body: string,
  declarations: readonly string[] = [],
): Kernel {
  const { a, b, dims } = problem;
  const pastEnd = tiling.prefetches || dims.K % tiling.depth !== 0;
  const loads = (k: KernelBuilder): string[] => [a, b].map((operand) => writeLoad(k, operand, pastEnd));
  return tileFrame(problem, tiling, loads).build(body, declarations);
}

/** The same in two steps; `loads` binds the operands and returns the functions that the body reads them by. */
export function tileFrame(
  problem: MatmulProblem,
  { rows, columns, workgroupSize, oneGroup = false, kind = 'product', bandRows = 1 }: Tiling,
  loads: (k: KernelBuilder) => readonly string[],
): TileFrame {
  const { dims, target, partial } = problem;
  const { batch, M, N, K } = dims;
  const k = kernelBuilder(partial ? 'matmul partial sums' : 'matmul', target);
  const functions = [...loads(k), writeStore(k, problem, oneGroup)];
  const tilesM = Math.ceil(M / rows);
  const tilesN = Math.ceil(N / columns);
  const workgroups = (partial?.ranges ?? 1) * batch * tilesM * tilesN;
  const [groups, gridM, gridN] = [k.uniform(workgroups), k.uniform(tilesM), k.uniform(tilesN)];
  const lines = [
    `if (group >= ${groups}) { return; }`,
    `let outer = group / (${gridN} * ${gridM});`,
    ...placeOfTile(gridM, gridN, bandRows),
    `let tileRow = tileOfRow * ${rows}u;`,
    `let tileColumn = tileOfColumn * ${columns}u;`,
    `let M = ${k.uniform(M)};`,
  ];
  if (partial) {
    const [batches, length] = [k.uniform(batch), k.uniform(partial.length)];
    lines.push(
      `let z = outer % ${batches};`,
      `let firstK = outer / ${batches} * ${length};`,
      `let endK = min(firstK + ${length}, ${k.uniform(K)});`,
    );
  } else lines.push('let z = outer;', 'let firstK = 0u;', `let endK = ${k.uniform(K)};`);
  return {
    k,
    build: (body, declarations) =>
      k.build({
        declarations: [...functions, ...declarations].join('\n'),
        body: `  ${lines.join('\n  ')}\n${body}`,
        workgroupSize,
        workgroups,
        kind,
        flops: 2 * batch * M * N * K,
        serial: 1,
      }),
  };
}

/**
 * Which tile of its batch a workgroup computes. Row by row of tiles, or in bands of some rows, each column by column: workgroups that run at the same
 * time then share a few rows of A and columns of B, which stay in the cache.
 */
function placeOfTile(gridM: string, gridN: string, bandRows: number): string[] {
  if (bandRows === 1) return [`let tileOfColumn = group % ${gridN};`, `let tileOfRow = group / ${gridN} % ${gridM};`];
  return [
    `let inBatch = group % (${gridN} * ${gridM});`,
    `let band = inBatch / (${bandRows}u * ${gridN}) * ${bandRows}u;`,
    `let bandRows = min(${bandRows}u, ${gridM} - band);`,
    `let tileOfRow = band + (inBatch - band * ${gridN}) % bandRows;`,
    `let tileOfColumn = (inBatch - band * ${gridN}) / bandRows;`,
  ];
}

/** `fn store(outer, row, column, values)`: four results of a row go to the epilogue, as a vector where rows allow it. */
function writeStore(k: KernelBuilder, { dims: { M, N }, epilogue, partial }: MatmulProblem, oneGroup: boolean): string {
  const width = N % 4 === 0 ? (partial ? 4 : programWidth(epilogue)) : 1;
  // elements one by one have no place in a row to themselves
  const columns = oneGroup && width === 4 && !partial ? N : undefined;
  const emit = partial ? writeSums(k, partial.sums, width) : writeProgram(k, epilogue, width, columns);
  const [m, n] = [k.uniform(M), k.uniform(N)];
  const write =
    width === 4
      ? 'emit(at / 4u, values);'
      : `var v = values;
  for (var j = 0u; j < min(4u, ${n} - column); j++) { emit(at + j, v[j]); }`;
  const load = columns === undefined ? '' : `loadShared(min(column, ${n} - 4u) / 4u);`;
  return `${emit}${oneGroup ? `\nfn atColumn(column: u32) { ${load} }` : ''}
fn store(outer: u32, row: u32, column: u32, values: vec4<f32>) {
  if (row >= ${m} || column >= ${n}) { return; }
  let at = (outer * ${m} + row) * ${n} + column;
  ${write}
}`;
}

function writeSums(k: KernelBuilder, sums: Scratch, width: 1 | 4): string {
  const type = elementType(sums, width);
  return `fn emit(i: u32, sum: ${type}) { ${k.write(sums, type)}[i] = sum; }`;
}
