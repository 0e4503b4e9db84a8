/**
 * The matmul kernel of CPU adapters. One subgroup is one workgroup and computes `rows` x (lanes * 4) elements of C; each lane holds 4
 * columns of every row in registers. Per step of 4 k all loads come first: every lane loads its share of the A tile and its own 4 x 4
 * block of B. Then each element of A goes to all lanes by a subgroup broadcast, which costs one instruction where a load costs five, and
 * each accumulator is updated once, by a sum of four products. There is no workgroup memory and no barrier: those are coroutine switches
 * on a CPU.
 */
import type { Kernel } from '../kernel';
import { declareSums, readColumns, sumsArray } from './matmul-block';
import { type MatmulProblem, range, tiledKernel } from './matmul-problem';

/** `rows` must be a multiple of 4 and of the target's subgroup size. */
export function broadcastMatmul(problem: MatmulProblem, rows: number): Kernel {
  const { a, b, target } = problem;
  const lanes = target.subgroupSize!;
  const quads = rows / 4;
  // Along k, unit i of the A tile is row i; along the rows, it is four rows at k + i / quads.
  const share = (i: number): string => {
    const unit = `(${i * lanes}u + sgLane)`;
    return a.alongK
      ? `let a${i} = loadA(z, tileRow + ${unit}, k);`
      : `let a${i} = loadA(z, tileRow + ${unit} % ${quads}u * 4u, k + ${unit} / ${quads}u);`;
  };
  const element = (row: number, k: number): string => {
    const [unit, component] = a.alongK ? [row, k] : [k * quads + (row >> 2), row % 4];
    return `subgroupBroadcast(a${Math.floor(unit / lanes)}[${component}], ${unit % lanes}u)`;
  };
  const columns = readColumns(4, b.alongK, (free, k) => `loadB(z, column + ${free}u, k + ${k}u)`);
  const update = (row: number): string => {
    const [p0, p1, p2, p3] = range(4).map((k) => `${element(row, k)} * ${columns.vector(0, k)}`);
    return `c${row} += (${p0} + ${p1}) + (${p2} + ${p3});`;
  };
  // The last loop's bound is not a constant, lest the driver's compiler repeat the epilogue for every row.
  const body = `
  let column = tileColumn + sgLane * 4u;
  ${declareSums(rows)}
  for (var k = firstK; k < endK; k += 4u) {
    ${[...range(rows / lanes).map(share), ...columns.lines, ...range(rows).map(update)].join('\n    ')}
  }
  ${sumsArray(rows)}
  for (var i = 0u; i < min(${rows}u, M - tileRow); i++) { store(outer, tileRow + i, column, c[i]); }`;
  return tiledKernel(problem, { rows, columns: lanes * 4, workgroupSize: lanes, depth: 4 }, body);
}
