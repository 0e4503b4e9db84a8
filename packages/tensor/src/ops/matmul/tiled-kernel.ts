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
  /** Type of the elements that `loadA` and `loadB` return (default f32). */
  readonly loads?: 'f32' | 'f16';
  /** Default `product`. */
  readonly kind?: KernelKind;
}

/**
 * Builds a kernel of one workgroup per tile of C. In scope of its body: `z` (batch), `tileRow` and `tileColumn` (first element of the
 * tile), `firstK` and `endK` (the range of k to sum), `M`, `loadA`, `loadB` and `store(outer, row, column, values)` for four values of a
 * row, which ignores what lies outside C; with `oneGroup` also `atColumn(column)`.
 */
export function tiledKernel(
  problem: MatmulProblem,
  {
    rows,
    columns,
    workgroupSize,
    depth,
    prefetches = false,
    oneGroup = false,
    loads = 'f32',
    kind = 'product',
  }: Tiling,
  body: string,
  declarations: readonly string[] = [],
): Kernel {
  const { a, b, dims, target, partial } = problem;
  const { batch, M, N, K } = dims;
  const k = kernelBuilder(partial ? 'matmul partial sums' : 'matmul', target);
  const pastEnd = prefetches || K % depth !== 0;
  const functions = [
    writeLoad(k, a, pastEnd, loads),
    writeLoad(k, b, pastEnd, loads),
    writeStore(k, problem, oneGroup),
  ];
  const tilesM = Math.ceil(M / rows);
  const tilesN = Math.ceil(N / columns);
  const workgroups = (partial?.ranges ?? 1) * batch * tilesM * tilesN;
  const [groups, gridM, gridN] = [k.uniform(workgroups), k.uniform(tilesM), k.uniform(tilesN)];
  const lines = [
    `if (group >= ${groups}) { return; }`,
    `let tileColumn = group % ${gridN} * ${columns}u;`,
    `let tileRow = group / ${gridN} % ${gridM} * ${rows}u;`,
    `let outer = group / (${gridN} * ${gridM});`,
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
  return k.build({
    declarations: [...functions, ...declarations].join('\n'),
    body: `  ${lines.join('\n  ')}\n${body}`,
    workgroupSize,
    workgroups,
    kind,
    flops: 2 * batch * M * N * K,
    serial: 1,
  });
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
