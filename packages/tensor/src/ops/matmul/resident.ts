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

/** Whether the kernel can compute a product, and has enough rows to be worth it. */
export const residentFits = ({ a, dims: { M, K }, target }: MatmulProblem): boolean =>
  a.alongK && M >= MIN_ROWS && K > 0 && K <= MAX_K && target.subgroupSize !== undefined;

/** Past K both arrays hold zeros. */
export function residentMatmul(problem: MatmulProblem): Kernel {
  const { b, dims, target } = problem;
  const lanes = target.subgroupSize!;
  const step = lanes * 4;
  const depth = roundUp(dims.K, step);
  const columns = readColumns(4, b.alongK, (free, k) => `loadB(z, column + ${free}u, k + ${k}u)`);
  const keep = range(4).map((k) => `columns[k + ${k}u] = ${columns.vector(0, k)};`);
  const product = (k: number): string => {
    const unit = Math.floor(k / 4);
    return `subgroupBroadcast(units[${Math.floor(unit / lanes)}][${k % 4}], ${unit % lanes}u) * columns[${k}]`;
  };
  const update = (k: number): string =>
    `sum += (${product(k)} + ${product(k + 1)}) + (${product(k + 2)} + ${product(k + 3)});`;
  // Loops end where uniforms say and arrays are longer than loops, lest the driver's compiler repeat their bodies. The sum stands under a
  // condition, though a true one, lest it be moved to where `store` needs it: all products would wait in memory until then, for half of the speed.
  const body = `
  let column = tileColumn + sgLane * 4u;
  var columns: array<vec4<f32>, ${depth + 1}>;
  for (var k = 0u; k < endK; k += 4u) {
    ${[...columns.lines, ...keep].join('\n    ')}
  }
  let steps = (endK + ${step - 1}u) / ${step}u;
  var units: array<vec4<f32>, ${depth / step + 1}>;
  for (var row = tileRow; row < min(tileRow + ${ROWS}u, M); row++) {
    for (var i = 0u; i < steps; i++) { units[i] = loadA(z, row, (i * ${lanes}u + sgLane) * 4u); }
    var sum = vec4<f32>();
    if (endK > 0u) {
      ${range(depth / 4)
        .map((i) => update(4 * i))
        .join('\n      ')}
    }
    store(outer, row, column, sum);
  }`;
  return tiledKernel(problem, { rows: ROWS, columns: step, workgroupSize: lanes, depth: step }, body);
}
