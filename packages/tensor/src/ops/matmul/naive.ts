/**
 * The plainest matmul kernel: an invocation per element of C, a product per step. It is correct by inspection, and so the reference that
 * tuned kernels must agree with.
 */
import type { Kernel } from '../../graph/op';
import { writeProgram } from '../../kernels/elementwise-program';
import { type KernelBuilder, kernelBuilder } from '../../kernels/kernel-builder';
import type { Operand } from './operand';
import type { MatmulProblem } from './problem';
import { writeWindow } from './window';

export function naiveMatmul({ dims, a, b, epilogue, target }: MatmulProblem): Kernel {
  const { batch, M, N, K } = dims;
  const k = kernelBuilder('matmul', target);
  const declarations = [writeElement(k, a), writeElement(k, b), writeProgram(k, epilogue, 1)].join('\n');
  const [m, n, depth] = [k.uniform(M), k.uniform(N), k.uniform(K)];
  const body = `
  if (thread >= ${k.uniform(batch * M * N)}) { return; }
  let column = thread % ${n}; let row = (thread / ${n}) % ${m}; let z = thread / (${n} * ${m});
  var sum = 0.0;
  for (var k = 0u; k < ${depth}; k++) {
    sum += elementA(z, row, k) * elementB(z, column, k);
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

/** `fn element<name>(z, free, k)`: one element of an operand. */
function writeElement(k: KernelBuilder, operand: Operand): string {
  const { name, tensor, alongK, free, K, stride, window } = operand;
  const head = `fn element${name}(z: u32, free: u32, k: u32) -> f32`;
  if (window) {
    const unit = {
      type: tensor.dtype,
      width: 1,
      parts: 1,
      result: 'f32',
      join: ([part]: readonly string[]) => `f32(${part})`,
    };
    return `${writeWindow(k, operand, window, unit)}\n${head} { return loadAt${name}(place${name}(free), k); }`;
  }
  const at = alongK ? `free * ${k.uniform(K)} + k` : `k * ${k.uniform(free)} + free`;
  return `${head} { return f32(${k.read(tensor)}[z * ${k.uniform(stride)} + ${at}]); }`;
}
