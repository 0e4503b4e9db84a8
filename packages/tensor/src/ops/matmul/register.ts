/**
 * Matmul on CPU adapters without subgroups. Every invocation computes 8 x 8 elements of C in registers, straight from memory: per step of
 * 4 k it loads 8 x 4 elements of A and 4 x 8 of B. A workgroup is 8 x 8 invocations, neighbours side by side along the columns.
 */
import { range } from '../../base/whole-numbers';
import type { Kernel } from '../../graph/op';
import { declareSums, readColumns, readRows, sumsArray } from './block';
import { loopLoad } from './operand';
import type { MatmulProblem } from './problem';
import { tiledKernel } from './tiled-kernel';

const TILING = { rows: 64, columns: 64, workgroupSize: 64, depth: 4 };

export function registerMatmul(problem: MatmulProblem): Kernel {
  const { a, b } = problem;
  const [loadA, loadB] = [loopLoad(a), loopLoad(b)];
  const rows = readRows(8, a.alongK, (free, k) => loadA.load(`row + ${free}u`, `k + ${k}u`));
  const columns = readColumns(8, b.alongK, (free, k) => loadB.load(`column + ${free}u`, `k + ${k}u`));
  const update = (i: number): string => {
    const [p0, p1, p2, p3] = range(4).map((k) => `${rows.element(i >> 1, k)} * ${columns.vector(i % 2, k)}`);
    return `c${i} += (${p0} + ${p1}) + (${p2} + ${p3});`;
  };
  const body = `
  let row = tileRow + lane / 8u * 8u;
  let column = tileColumn + lane % 8u * 8u;
  ${loadA.before()}
  ${loadB.before()}
  ${declareSums(16)}
  for (var k = firstK; k < endK; k += 4u) {
    ${[...rows.lines, ...columns.lines, ...range(16).map(update)].join('\n    ')}
  }
  ${sumsArray(16)}
  for (var i = 0u; i < 2u * min(8u, max(M, row) - row); i++) { store(outer, row + i / 2u, column + i % 2u * 4u, c[i]); }`;
  return tiledKernel(problem, TILING, body);
}
