/** The matmul kernel of CPU adapters, by subgroup broadcast. One subgroup is one workgroup and computes `rows` x (lanes * 4) elements of C. */
import type { Kernel } from '../../graph/op';
import { productLoop, rowArray } from './broadcast-product';
import { loopLoad } from './operand';
import type { MatmulProblem } from './problem';
import { tiledKernel } from './tiled-kernel';

/** `rows` must be a multiple of 4 and of the target's subgroup size. */
export function broadcastMatmul(problem: MatmulProblem, rows: number): Kernel {
  const { a, b, target } = problem;
  const lanes = target.subgroupSize!;
  const [loadA, loadB] = [loopLoad(a), loopLoad(b)];
  const product = productLoop({
    lanes,
    rows,
    firstK: 'firstK',
    endK: 'endK',
    a: { alongK: a.alongK, load: loadA.load },
    b: { alongK: b.alongK, load: loadB.load },
    name: 'c',
  });
  // The last loop's bound is not a constant, lest the driver's compiler repeat the epilogue for every row.
  const body = `
  let row = tileRow;
  let column = tileColumn + sgLane * 4u;
  ${loadA.before()}
  ${loadB.before()}
${product}
  atColumn(column);
  var c = ${rowArray(rows, (i) => `c${i}`)};
  for (var i = 0u; i < min(${rows}u, M - tileRow); i++) { store(outer, tileRow + i, column, c[i]); }`;
  return tiledKernel(problem, { rows, columns: lanes * 4, workgroupSize: lanes, depth: 4, oneGroup: true }, body);
}
