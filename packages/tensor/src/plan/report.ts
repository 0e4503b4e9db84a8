/** What a plan costs: kernels, arithmetic, memory by part, the peak and where it is. */
import { showShape } from '../base/shape';
import type { Target } from '../base/target';
import type { StateLayout } from '../graph/state-layout';
import { isScratch } from '../kernels/kernel-builder';
import { kernelSeconds } from './cost';
import { exchangesOf } from './exchanges';
import { byteSize, type Lifetime, peakOf } from './memory';
import type { GivenValues, PlanReport, PlanStep } from './plan-types';
import type { Slots } from './slots';

interface ReportInput {
  readonly planned: readonly PlanStep[];
  readonly slots: Slots;
  readonly given: GivenValues;
  readonly state: StateLayout;
  readonly target: Target;
}

export function makeReport({ planned, slots, given, state, target }: ReportInput): PlanReport {
  const { stored, lifetimes, slotBytes } = slots;
  const kernels = planned.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : []));
  const exchanges = exchangesOf({ steps: planned });
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const bytes: Record<string, number> = {};
  for (const [name, group] of Object.entries(state)) bytes[name] = group.bytes;
  bytes.inputs = total(given.batch.map(({ tensor }) => byteSize(tensor))) + given.knobBytes;
  bytes.constants = total(given.constants.map(({ tensor }) => byteSize(tensor)));
  bytes.activations = total(slotBytes);
  if (exchanges.length > 0) bytes.staging = total(exchanges.map(({ from, to }) => from.bytes + to.bytes));
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
    distinctKernels: new Set(kernels.map(({ wgsl }) => wgsl)).size,
    copies: planned.filter(({ kind }) => kind === 'copy').length,
    exchanges: exchanges.length,
    flops: total(kernels.map((kernel) => kernel.flops)),
    bytesMoved: total(kernels.map((kernel) => kernel.bytes)),
    bytes,
    totalBytes: total(Object.values(bytes)),
    peak: {
      bytes: peak.bytes,
      at: at ? (at.kind === 'kernel' ? at.kernel.label : at.kind) : 'nothing',
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
