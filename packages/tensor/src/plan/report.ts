/** What a plan costs: kernels, arithmetic, memory by part, the peak and where it is. */
import { bytesPerElement } from '../base/dtype';
import { showShape, sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Kernel, Storage, Tensor } from '../graph/op';
import type { StateLayout } from '../graph/state-layout';
import { isScratch } from '../kernels/kernel-builder';
import { type Lifetime, peakOf } from './memory';
import type { PlanStep } from './plan';

export interface PlanReport {
  readonly kernels: number;
  readonly copies: number;
  readonly flops: number;
  readonly bytesMoved: number;
  /** State by group, then `inputs`, `constants`, `activations` (the slots together). */
  readonly bytes: Readonly<Record<string, number>>;
  readonly totalBytes: number;
  /** Most bytes of intermediate values alive at once, and the op that runs then. */
  readonly peak: {
    readonly bytes: number;
    readonly at: string;
    readonly site: string;
    /** What is alive then, values of one op, type and shape together, largest first. */
    readonly alive: readonly { readonly name: string; readonly count: number; readonly bytes: number }[];
  };
  readonly largest: readonly { readonly name: string; readonly bytes: number }[];
  /** Seconds, from the target's rates. */
  readonly estimatedSeconds: number;
}

/** Bytes a value takes, rounded up so that vectors of four can be read at its end. */
export const byteSize = (tensor: Storage): number =>
  Math.ceil((sizeOf(tensor.shape) * bytesPerElement[tensor.dtype]) / 16) * 16;

interface ReportInput {
  readonly planned: readonly PlanStep[];
  readonly lifetimes: readonly Lifetime[];
  readonly stored: readonly Storage[];
  readonly slotBytes: readonly number[];
  readonly state: StateLayout;
  readonly constants: readonly Tensor[];
  readonly batch: readonly Tensor[];
  readonly knobBytes: number;
  readonly target: Target;
}

export function makeReport({
  planned,
  lifetimes,
  stored,
  slotBytes,
  state,
  constants,
  batch,
  knobBytes,
  target,
}: ReportInput): PlanReport {
  const kernels = planned.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : []));
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const bytes: Record<string, number> = {};
  for (const [name, group] of Object.entries(state)) bytes[name] = group.bytes;
  bytes.inputs = total(batch.map(byteSize)) + knobBytes;
  bytes.constants = total(constants.map(byteSize));
  bytes.activations = total(slotBytes);
  const peak = peakOf(lifetimes, planned.length + 1);
  const at = planned[Math.min(peak.step, planned.length - 1)];
  const names = stored.map((storage) =>
    isScratch(storage)
      ? `scratch ${showShape(storage.shape)}`
      : `${storage.node.op.name} ${storage.dtype} ${showShape(storage.shape)}`,
  );
  const largest = [
    ...Object.entries(bytes).map(([name, size]) => ({ name, bytes: size })),
    ...lifetimes.map((life, i) => ({ name: names[i]!, bytes: life.bytes })),
  ]
    .filter(({ name }) => name !== 'activations')
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 12);
  return {
    kernels: kernels.length,
    copies: planned.length - kernels.length,
    flops: total(kernels.map((kernel) => kernel.flops)),
    bytesMoved: total(kernels.map((kernel) => kernel.bytes)),
    bytes,
    totalBytes: total(Object.values(bytes)),
    peak: {
      bytes: peak.bytes,
      at: at ? (at.kind === 'kernel' ? at.kernel.label : 'copy') : 'nothing',
      site: at?.node.site ?? '',
      alive: aliveAt(peak.step, lifetimes, names),
    },
    largest,
    estimatedSeconds: total(kernels.map((kernel) => kernelSeconds(kernel, target))),
  };
}

function aliveAt(step: number, lifetimes: readonly Lifetime[], names: readonly string[]): PlanReport['peak']['alive'] {
  const groups = new Map<string, { name: string; count: number; bytes: number }>();
  lifetimes.forEach(({ first, last, bytes }, i) => {
    if (step < first || step > last) return;
    const group = groups.get(names[i]!) ?? { name: names[i]!, count: 0, bytes: 0 };
    groups.set(group.name, { name: group.name, count: group.count + 1, bytes: group.bytes + bytes });
  });
  return [...groups.values()].sort((a, b) => b.bytes - a.bytes).slice(0, 12);
}

/** Expected time of a kernel from the target's rates: the larger of its arithmetic and its memory traffic. */
export const kernelSeconds = (kernel: Kernel, target: Target): number =>
  Math.max(kernel.flops / target.flopsPerSecond, kernel.bytes / target.bytesPerSecond);
