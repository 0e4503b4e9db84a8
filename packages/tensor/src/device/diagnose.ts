/** Looking into a compiled step: where the time goes, and which op wrote the first infinity or NaN. */
import { isFloat } from '../base/dtype';
import { TensorError } from '../base/errors';
import { type Shape, sizeOf } from '../base/shape';
import type { KernelKind } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import type { Plan } from '../plan/plan-types';
import type { BufferLookup } from './buffers';
import type { EncodeSteps } from './encoder';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';

export interface KernelTime {
  readonly label: string;
  readonly kind: KernelKind;
  readonly count: number;
  readonly milliseconds: number;
  readonly flops: number;
  readonly bytes: number;
}

export interface NonFinite {
  readonly op: string;
  /** The user's line that recorded it. */
  readonly site: string;
  readonly shape: Shape;
}

// A query set holds at most 4096 timestamps, two a kernel.
const KERNELS_PER_QUERY_SET = 2048;

/** One run with a timestamp pair around every kernel; times summed by label and kind, longest first. */
export async function profile(gpu: Gpu, plan: Plan, encode: EncodeSteps): Promise<readonly KernelTime[]> {
  if (!gpu.target.timestamps)
    throw new TensorError('adapter', `${gpu.target.name} has no timestamp queries; time whole runs instead`);
  const totals = new Map<string, KernelTime>();
  for (let from = 0; from < plan.steps.length; from += KERNELS_PER_QUERY_SET) {
    const count = Math.min(KERNELS_PER_QUERY_SET, plan.steps.length - from);
    const stamps = await timestamps(gpu, count, (encoder, querySet) => {
      for (let i = 0; i < count; i++) {
        encode(encoder, from + i, from + i + 1, {
          timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
        });
      }
    });
    for (let i = 0; i < count; i++) {
      const step = plan.steps[from + i]!;
      if (step.kind !== 'kernel') continue;
      const { label, kind, flops, bytes } = step.kernel;
      const key = `${kind} ${label}`;
      const total = totals.get(key) ?? { count: 0, milliseconds: 0, flops: 0, bytes: 0 };
      totals.set(key, {
        label,
        kind,
        count: total.count + 1,
        milliseconds: total.milliseconds + Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1e6,
        flops: total.flops + flops,
        bytes: total.bytes + bytes,
      });
    }
  }
  return [...totals.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

/** Nanoseconds at the pairs of places that `encodePasses` writes them to. */
export async function timestamps(
  gpu: Gpu,
  pairs: number,
  encodePasses: (encoder: GPUCommandEncoder, querySet: GPUQuerySet) => void,
): Promise<BigUint64Array> {
  const querySet = gpu.device.createQuerySet({ type: 'timestamp', count: 2 * pairs });
  const resolved = gpu.createBuffer(
    'timestamps',
    16 * pairs,
    GPU_BUFFER_USAGE.QUERY_RESOLVE | GPU_BUFFER_USAGE.COPY_SRC,
  );
  try {
    const encoder = gpu.device.createCommandEncoder();
    encodePasses(encoder, querySet);
    encoder.resolveQuerySet(querySet, 0, 2 * pairs, resolved, 0);
    gpu.device.queue.submit([encoder.finish()]);
    return new BigUint64Array(await gpu.readBytes(resolved, 0, 16 * pairs));
  } finally {
    gpu.destroyBuffer(resolved);
    querySet.destroy();
  }
}

/** Runs kernel by kernel and reads back what each wrote, until a value is not finite. Slow, for debugging. */
export async function findNonFinite(
  gpu: Gpu,
  plan: Plan,
  bufferAt: BufferLookup,
  encode: EncodeSteps,
): Promise<NonFinite | undefined> {
  for (let i = 0; i < plan.steps.length; i++) {
    const encoder = gpu.device.createCommandEncoder();
    encode(encoder, i, i + 1);
    gpu.device.queue.submit([encoder.finish()]);
    const step = plan.steps[i]!;
    if (step.kind !== 'kernel') continue;
    for (const [j, { tensor, access }] of step.kernel.bindings.entries()) {
      if (access === 'read' || isScratch(tensor) || !isFloat(tensor.dtype)) continue;
      const address = step.addresses[j]!;
      const bytes = await gpu.readBytes(bufferAt(address), address.offset, address.bytes);
      if (hasNonFinite(bytes, tensor.dtype === 'f16', sizeOf(tensor.shape)))
        return { op: step.kernel.label, site: tensor.node.site, shape: tensor.shape };
    }
  }
  return undefined;
}

/** A float is infinite or NaN when all its exponent bits are set. */
function hasNonFinite(bytes: ArrayBuffer, half: boolean, count: number): boolean {
  const words = half ? new Uint16Array(bytes, 0, count) : new Uint32Array(bytes, 0, count);
  const exponent = half ? 0x7c00 : 0x7f800000;
  return (words as Uint32Array).some((word) => (word & exponent) === exponent);
}
