/** What every matmul kernel has in common: its operands, the grid of tiles, and the epilogue that receives the product. */
import { type Kernel, type KernelBuilder, kernelBuilder } from '../kernel';
import { type Program, programWidth, writeProgram } from '../program';
import type { Target } from '../target';
import { type Operand, writeLoad } from './matmul-operand';

export interface MatmulDims {
  readonly batch: number;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** Elements between batches; 0 where one matrix serves all. */
  readonly strideA: number;
  readonly strideB: number;
}

export interface MatmulProblem {
  readonly dims: MatmulDims;
  readonly a: Operand;
  readonly b: Operand;
  readonly epilogue: Program;
  readonly target: Target;
}

export interface Tiling {
  /** Rows and columns of C per workgroup. */
  readonly rows: number;
  readonly columns: number;
  readonly workgroupSize: number;
  /** k per step of the main loop. */
  readonly depth: number;
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/**
 * Builds a kernel of one workgroup per tile of C. In scope of its body: `z` (batch), `tileRow` and `tileColumn` (first element of the
 * tile), `M`, `K`, `loadA`, `loadB` and `store(z, row, column, values)` for four values of a row, which ignores what lies outside C.
 */
export function tiledKernel(
  { a, b, dims, epilogue, target }: MatmulProblem,
  { rows, columns, workgroupSize, depth }: Tiling,
  body: string,
  declarations = '',
): Kernel {
  const { batch, M, N, K } = dims;
  const k = kernelBuilder('matmul', target);
  const tail = K % depth !== 0;
  const loads = [writeLoad(k, a, tail), writeLoad(k, b, tail)];
  const store = writeStore(k, dims, epilogue);
  const tilesM = Math.ceil(M / rows);
  const tilesN = Math.ceil(N / columns);
  const [groups, gridM, gridN] = [k.uniform(batch * tilesM * tilesN), k.uniform(tilesM), k.uniform(tilesN)];
  return k.build({
    declarations: [...loads, store, declarations].join('\n'),
    body: `
  if (group >= ${groups}) { return; }
  let tileColumn = group % ${gridN} * ${columns}u;
  let tileRow = group / ${gridN} % ${gridM} * ${rows}u;
  let z = group / (${gridN} * ${gridM});
  let M = ${k.uniform(M)};
  let K = ${k.uniform(K)};
${body}`,
    workgroupSize,
    workgroups: batch * tilesM * tilesN,
    flops: 2 * batch * M * N * K,
  });
}

/** `fn store(z, row, column, values)`: hands four results of a row to the epilogue, as a vector where rows allow it. */
function writeStore(k: KernelBuilder, { M, N }: MatmulDims, epilogue: Program): string {
  const width = N % 4 === 0 ? programWidth(epilogue) : 1;
  const emit = writeProgram(k, epilogue, width);
  const [m, n] = [k.uniform(M), k.uniform(N)];
  const write =
    width === 4
      ? 'emit(at / 4u, values);'
      : `var v = values;
  for (var j = 0u; j < min(4u, ${n} - column); j++) { emit(at + j, v[j]); }`;
  return `${emit}
fn store(z: u32, row: u32, column: u32, values: vec4<f32>) {
  if (row >= ${m} || column >= ${n}) { return; }
  let at = (z * ${m} + row) * ${n} + column;
  ${write}
}`;
}
