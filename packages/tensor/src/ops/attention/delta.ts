/** delta [B, H, N] of a segment = sum of dO O over a head's elements: what the softmax's gradient subtracts from a query's dP. */
import type { Target } from '../../base/target';
import type { Kernel, Scratch, Tensor } from '../../graph/op';
import { elementType, kernelBuilder, scratch } from '../../kernels/kernel-builder';
import type { AttentionDims } from './problem';

export function deltaKernel(
  { B, H, N, d, before }: AttentionDims,
  out: Tensor,
  gradient: Tensor,
  target: Target,
): { kernel: Kernel; delta: Scratch } {
  const delta = scratch([B, H, N], 'f32');
  const k = kernelBuilder('attentionGradient', target);
  const [O, G] = [k.read(out, elementType(out, 4)), k.read(gradient, elementType(gradient, 4))];
  const sums = k.write(delta);
  const [heads, tokens, units] = [k.uniform(H), k.uniform(N), k.uniform(d / 4)];
  const kernel = k.build({
    body: `
  if (thread >= ${k.uniform(B * H * N)}) { return; }
  var sum = vec4<f32>();
  let own = (thread + ${k.uniform(before * H)}) * ${units};
  for (var c = own; c < own + ${units}; c++) { sum += vec4<f32>(${O}[c]) * vec4<f32>(${G}[c]); }
  let token = thread / ${heads};
  ${sums}[(token / ${tokens} * ${heads} + thread % ${heads}) * ${tokens} + token % ${tokens}] = dot(sum, vec4<f32>(1.0));`,
    workgroupSize: 64,
    workgroups: Math.ceil((B * H * N) / 64),
    flops: 2 * B * H * N * d,
    serial: d / 4,
    touched: new Map([out, gradient].map((tensor) => [tensor, B * H * N * d])),
  });
  return { kernel, delta };
}
