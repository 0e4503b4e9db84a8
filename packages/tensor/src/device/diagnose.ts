/** Looking into a compiled step: where the time goes, and which op wrote the first infinity or NaN. */
import { BYTES_PER_ELEMENT, isFloat } from '../base/dtype';
import { TensorError } from '../base/errors';
import { type Shape, sizeOf } from '../base/shape';
import type { KernelKind, Tensor } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import type { Address, Plan, PlanStep } from '../plan/plan-types';
import type { BufferLookup } from './buffers';
import type { EncodeSteps } from './encoder';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';
import type { Perform } from './run-plan';
import { boundSubmits } from './submits';

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

/** Throws `TensorError` with code `adapter` where `profile` cannot be. */
export function refuseWithoutTimestamps({ target }: Gpu): void {
  if (!target.timestamps)
    throw new TensorError('adapter', `${target.name} has no timestamp queries; time whole runs instead`);
}

/** One run with a timestamp pair around every kernel; times summed by label and kind, longest first. */
export async function profile(
  gpu: Gpu,
  plan: Plan,
  encode: EncodeSteps,
  perform: Perform,
): Promise<readonly KernelTime[]> {
  const totals = new Map<string, KernelTime>();
  for (let from = 0; from < plan.steps.length; from += KERNELS_PER_QUERY_SET) {
    const count = Math.min(KERNELS_PER_QUERY_SET, plan.steps.length - from);
    const submits = boundSubmits(plan, Number.POSITIVE_INFINITY, from, from + count);
    const stamps = await timestamps(gpu, count, (querySet) =>
      perform(submits, (encoder, first, end) => {
        for (let i = first; i < end; i++) {
          const at = 2 * (i - from);
          encode(encoder, i, i + 1, {
            timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
          });
        }
      }),
    );
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

/** Nanoseconds at the pairs of places that the passes write them to which `submitPasses` submits. */
export async function timestamps(
  gpu: Gpu,
  pairs: number,
  submitPasses: (querySet: GPUQuerySet) => Promise<void> | void,
): Promise<BigUint64Array> {
  const querySet = gpu.device.createQuerySet({ type: 'timestamp', count: 2 * pairs });
  const resolved = gpu.createBuffer(
    'timestamps',
    16 * pairs,
    GPU_BUFFER_USAGE.QUERY_RESOLVE | GPU_BUFFER_USAGE.COPY_SRC,
  );
  try {
    await submitPasses(querySet);
    const encoder = gpu.device.createCommandEncoder();
    encoder.resolveQuerySet(querySet, 0, 2 * pairs, resolved, 0);
    gpu.device.queue.submit([encoder.finish()]);
    return new BigUint64Array(await gpu.readBytes(resolved, 0, 16 * pairs));
  } finally {
    gpu.destroyBuffer(resolved);
    querySet.destroy();
  }
}

/**
 * Runs kernel by kernel and reads back what each wrote, until a value is not finite. Slow, for debugging. Where ranks exchange values the run is finished all the same,
 * since the other ranks wait for it; what comes from them is looked at too.
 */
export async function findNonFinite(
  gpu: Gpu,
  plan: Plan,
  bufferAt: BufferLookup,
  encode: EncodeSteps,
  perform: Perform,
): Promise<NonFinite | undefined> {
  const all = plan.steps.length;
  const submits = (from: number, to: number) => boundSubmits(plan, Number.POSITIVE_INFINITY, from, to);
  for (const [i, step] of plan.steps.entries()) {
    await perform(submits(i, i + 1), encode);
    for (const { op, tensor, address } of writtenBy(step)) {
      if (!isFloat(tensor.dtype)) continue;
      const bytes = await gpu.readBytes(bufferAt(address), address.offset, address.bytes);
      const width = BYTES_PER_ELEMENT[tensor.dtype];
      const count = Math.min(sizeOf(tensor.shape), address.bytes / width);
      if (!hasNonFinite(bytes, tensor.dtype === 'f16', count)) continue;
      if (plan.report.exchanges > 0 && i + 1 < all) await perform(submits(i + 1, all), encode);
      return { op, site: tensor.node.site, shape: tensor.shape };
    }
  }
  return undefined;
}

interface Written {
  readonly op: string;
  readonly tensor: Tensor;
  readonly address: Address;
}

/** What a step computes or receives. */
function writtenBy(step: PlanStep): Written[] {
  if (step.kind === 'receive') {
    const { kind, to, node } = step.exchange;
    return [{ op: kind, tensor: node.outputs[0]!, address: to }];
  }
  if (step.kind !== 'kernel') return [];
  return step.kernel.bindings.flatMap(({ tensor, access }, i) =>
    access === 'read' || isScratch(tensor) ? [] : [{ op: step.kernel.label, tensor, address: step.addresses[i]! }],
  );
}

/** A float is infinite or NaN when all its exponent bits are set. */
function hasNonFinite(bytes: ArrayBuffer, half: boolean, count: number): boolean {
  const words = half ? new Uint16Array(bytes, 0, count) : new Uint32Array(bytes, 0, count);
  const exponent = half ? 0x7c00 : 0x7f800000;
  return (words as Uint32Array).some((word) => (word & exponent) === exponent);
}
