/**
 * The matmul kernel of CPU adapters for many rows and a short k, A [M, K]. One subgroup is one workgroup and computes up to 320 rows by four
 * columns per lane. Its columns of B stay with it, all k of them, in an array that only constants index, so that each element is an
 * operand of a multiplication and never loaded again. Rows then follow one by one: the lanes load a row of A together, four k each,
 * and every element goes to all lanes by a subgroup broadcast. A row's sums never leave registers. Where a tile loads as much of B as
 * of A for each step of k, this loads A alone, and its code is small. Sums run over k as in every other kernel here, four products at a time.
 */
import { range, roundUp } from '../../base/whole-numbers';
import type { Kernel } from '../../graph/op';
import { readColumns } from './block';
import type { MatmulProblem } from './problem';
import { tiledKernel } from './tiled-kernel';

// So many that filling the array, which takes as long as 30 rows, matters little, and so few that a layer's rows occupy every processor.
const ROWS = 320;
const MIN_ROWS = 256;
// Up to 24 KB of B beside a row of A stay in a processor's first cache; code for more k takes seconds to compile.
const MAX_K = 192;
// Every depth is a kernel of its own, whose compilation a small product does not repay.
const MIN_FLOPS = 4e7;

/** Whether the kernel can compute a product, and has enough rows to be worth it. */
export const residentFits = ({ a, dims: { M, N, K }, target }: MatmulProblem): boolean =>
  a.alongK && target.subgroupSize !== undefined && M >= MIN_ROWS && K <= MAX_K && 2 * M * N * K >= MIN_FLOPS;

/** Past K, the rest of a lane's columns holds zeros. */
export function residentMatmul(problem: MatmulProblem): Kernel {
  const { b, dims, target } = problem;
  const lanes = target.subgroupSize!;
  const step = lanes * 4;
  const depth = roundUp(dims.K, step);
  const columns = readColumns(4, b.alongK, (free, k) => `loadB(z, column + ${free}u, k + ${k}u)`);
  const keep = range(4).map((k) => `columns[k + ${k}u] = ${columns.vector(0, k)};`);
  const loads = range(depth / step).map((i) => `let a${i} = loadA(z, row, (${i * lanes}u + sgLane) * 4u);`);
  const product = (k: number): string => {
    const unit = k >> 2;
    return `subgroupBroadcast(a${Math.floor(unit / lanes)}[${k % 4}], ${unit % lanes}u) * columns[${k}]`;
  };
  const updates = range(depth / 4).map((unit) => {
    const [p0, p1, p2, p3] = range(4).map((k) => product(4 * unit + k));
    return `sum += (${p0} + ${p1}) + (${p2} + ${p3});`;
  });
  // Mesa repeats the body of a loop whose counter is an index, up to the array's end, and compiles it for seconds: `unit` is none. And the sum
  // stands under a condition, though a true one, lest it be moved to where `store` needs it, all products waiting in memory until then.
  const body = `
  let column = tileColumn + sgLane * 4u;
  var columns: array<vec4<f32>, ${depth}>;
  for (var unit = 0u; unit < (endK + 3u) / 4u; unit++) {
    let k = unit * 4u;
    ${[...columns.lines, ...keep].join('\n    ')}
  }
  atColumn(column);
  for (var row = tileRow; row < min(tileRow + ${ROWS}u, M); row++) {
    ${loads.join('\n    ')}
    var sum = vec4<f32>();
    if (endK > 0u) {
      ${updates.join('\n      ')}
    }
    store(outer, row, column, sum);
  }`;
  return tiledKernel(problem, { rows: ROWS, columns: step, workgroupSize: lanes, depth: step, oneGroup: true }, body);
}
