/**
 * Matmul on CPU adapters without subgroups. Every invocation computes 8 x 8 elements of C in registers, straight from memory: per step of
 * 4 k it loads 8 x 4 elements of A and 4 x 8 of B. A workgroup is 8 x 8 invocations, neighbours side by side along the columns.
 */
import type { Kernel } from '../kernel';
import { type MatmulProblem, range, tiledKernel } from './matmul-problem';

const TILING = { rows: 64, columns: 64, workgroupSize: 64, depth: 4 };

export function registerMatmul(problem: MatmulProblem): Kernel {
  const { a, b } = problem;
  const loadA = a.alongK
    ? range(8).map((i) => `let a${i} = loadA(z, row + ${i}u, k);`)
    : range(8).map((i) => `let a${i} = loadA(z, row + ${(i % 2) * 4}u, k + ${i >> 1}u);`);
  const elementA = (row: number, q: number): string =>
    a.alongK ? `a${row}[${q}]` : `a${q * 2 + (row >> 2)}[${row % 4}]`;
  const loadB = b.alongK
    ? [
        ...range(8).map((j) => `let w${j} = loadB(z, column + ${j}u, k);`),
        ...range(8).map((i) => {
          const [q, half] = [i >> 1, (i % 2) * 4];
          return `let b${i} = vec4<f32>(${range(4)
            .map((j) => `w${half + j}[${q}]`)
            .join(', ')});`;
        }),
      ]
    : range(8).map((i) => `let b${i} = loadB(z, column + ${(i % 2) * 4}u, k + ${i >> 1}u);`);
  const update = (i: number): string => {
    const [p0, p1, p2, p3] = range(4).map((q) => `${elementA(i >> 1, q)} * b${q * 2 + (i % 2)}`);
    return `c${i} += (${p0} + ${p1}) + (${p2} + ${p3});`;
  };
  const body = `
  let row = tileRow + lane / 8u * 8u;
  let column = tileColumn + lane % 8u * 8u;
${range(16)
  .map((i) => `  var c${i} = vec4<f32>();`)
  .join('\n')}
  for (var k = 0u; k < K; k += 4u) {
    ${[...loadA, ...loadB, ...range(16).map(update)].join('\n    ')}
  }
  var c = array<vec4<f32>, 16>(${range(16)
    .map((i) => `c${i}`)
    .join(', ')});
  for (var i = 0u; i < 2u * min(8u, max(M, row) - row); i++) { store(z, row + i / 2u, column + i % 2u * 4u, c[i]); }`;
  return tiledKernel(problem, TILING, body);
}
