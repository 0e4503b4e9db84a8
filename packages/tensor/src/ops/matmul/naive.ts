/**
 * The plainest matmul kernel: an invocation per element of C, a product per step. It is correct by inspection, and so the reference that
 * tuned kernels must agree with.
 */
import type { Kernel } from '../../graph/op';
import { writeProgram } from '../../kernels/elementwise-program';
import { kernelBuilder } from '../../kernels/kernel-builder';
import type { MatmulProblem } from './problem';

export function naiveMatmul({ dims, a, b, epilogue, target }: MatmulProblem): Kernel {
  const { batch, M, N, K, strideA, strideB } = dims;
  const k = kernelBuilder('matmul', target);
  const [A, B] = [k.read(a.tensor), k.read(b.tensor)];
  const declarations = writeProgram(k, epilogue, 1);
  const [m, n, depth] = [k.uniform(M), k.uniform(N), k.uniform(K)];
  const body = `
  if (thread >= ${k.uniform(batch * M * N)}) { return; }
  let column = thread % ${n}; let row = (thread / ${n}) % ${m}; let z = thread / (${n} * ${m});
  var sum = 0.0;
  for (var k = 0u; k < ${depth}; k++) {
    sum += f32(${A}[z * ${k.uniform(strideA)} + ${a.alongK ? `row * ${depth} + k` : `k * ${m} + row`}])
      * f32(${B}[z * ${k.uniform(strideB)} + ${b.alongK ? `column * ${depth} + k` : `k * ${n} + column`}]);
  }
  emit(thread, sum);`;
  return k.build({
    declarations,
    body,
    workgroupSize: 64,
    workgroups: Math.ceil((batch * M * N) / 64),
    kind: 'product',
    flops: 2 * batch * M * N * K,
    serial: K,
  });
}
