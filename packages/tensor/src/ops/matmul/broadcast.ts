/** The matmul kernel of CPU adapters, by subgroup broadcast. One subgroup is one workgroup and computes `rows` x (lanes * 4) elements of C. */
import type { Kernel } from '../../graph/op';
import { eachRow, productLoop } from './broadcast-product';
import type { MatmulProblem } from './problem';
import { tiledKernel } from './tiled-kernel';

/** `rows` must be a multiple of 4 and of the target's subgroup size. */
export function broadcastMatmul(problem: MatmulProblem, rows: number): Kernel {
  const { a, b, target } = problem;
  const lanes = target.subgroupSize!;
  const product = productLoop({
    lanes,
    rows,
    firstK: 'firstK',
    endK: 'endK',
    a: { alongK: a.alongK, load: (row, k) => `loadA(z, ${row}, ${k})` },
    b: { alongK: b.alongK, load: (column, k) => `loadB(z, ${column}, ${k})` },
    name: 'c',
  });
  const store = eachRow({
    rows,
    value: (i) => `c${i}`,
    end: `min(${rows}u, M - tileRow)`,
    body: 'store(outer, tileRow + i, column, values);',
  });
  const body = `
  let row = tileRow;
  let column = tileColumn + sgLane * 4u;
${product}
  ${store}`;
  return tiledKernel(problem, { rows, columns: lanes * 4, workgroupSize: lanes, depth: 4 }, body);
}
