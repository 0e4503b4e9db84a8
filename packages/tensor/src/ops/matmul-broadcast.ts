/**
 * The matmul kernel of CPU adapters. One subgroup is one workgroup and computes `rows` x (lanes * 4) elements of C; each lane holds 4
 * columns of every row in registers. Per step of 4 k all loads come first: every lane loads its share of the A tile and its own 4 x 4
 * block of B. Then each element of A goes to all lanes by a subgroup broadcast, which costs one instruction where a load costs five, and
 * each accumulator is updated once, by a sum of four products. There is no workgroup memory and no barrier: those are coroutine switches
 * on a CPU.
 */
import type { Kernel } from '../kernel';
import { type MatmulProblem, range, tiledKernel } from './matmul-problem';

/** `rows` must be a multiple of 4 and of the target's subgroup size. */
export function broadcastMatmul(problem: MatmulProblem, rows: number): Kernel {
  const { a, b, target } = problem;
  const lanes = target.subgroupSize!;
  const quads = rows / 4;
  // Along k, vec4 number i of the A tile is row i; along the rows, it is four rows at k + i / quads.
  const loadA = (share: number): string => {
    const unit = `(${share * lanes}u + sgLane)`;
    return a.alongK
      ? `loadA(z, tileRow + ${unit}, k)`
      : `loadA(z, tileRow + ${unit} % ${quads}u * 4u, k + ${unit} / ${quads}u)`;
  };
  const elementA = (row: number, q: number): string => {
    const [unit, component] = a.alongK ? [row, q] : [q * quads + Math.floor(row / 4), row % 4];
    return `subgroupBroadcast(a${Math.floor(unit / lanes)}[${component}], ${unit % lanes}u)`;
  };
  const loadB = b.alongK
    ? [
        ...range(4).map((j) => `let w${j} = loadB(z, column + ${j}u, k);`),
        ...range(4).map((q) => `let b${q} = vec4<f32>(w0[${q}], w1[${q}], w2[${q}], w3[${q}]);`),
      ]
    : range(4).map((q) => `let b${q} = loadB(z, column, k + ${q}u);`);
  const products = (row: number): string[] => range(4).map((q) => `${elementA(row, q)} * b${q}`);
  const body = `
  let column = tileColumn + sgLane * 4u;
${range(rows)
  .map((i) => `  var c${i} = vec4<f32>();`)
  .join('\n')}
  for (var k = 0u; k < K; k += 4u) {
${range(rows / lanes)
  .map((share) => `    let a${share} = ${loadA(share)};`)
  .join('\n')}
    ${loadB.join('\n    ')}
${range(rows)
  .map((i) => {
    const [p0, p1, p2, p3] = products(i);
    return `    c${i} += (${p0} + ${p1}) + (${p2} + ${p3});`;
  })
  .join('\n')}
  }
  var c = array<vec4<f32>, ${rows}>(${range(rows)
    .map((i) => `c${i}`)
    .join(', ')});
  for (var i = 0u; i < min(${rows}u, M - tileRow); i++) { store(z, tileRow + i, column, c[i]); }`;
  // The last loop's bound is not a constant, lest the driver's compiler repeat the epilogue for every row.
  return tiledKernel(problem, { rows, columns: lanes * 4, workgroupSize: lanes, depth: 4 }, body);
}
