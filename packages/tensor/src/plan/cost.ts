/**
 * What a plan is expected to cost in time, from the rates of an adapter. A kernel takes
 *
 *   t = launch + max(flops / (rate of its kind * busy), bytes / (bandwidth * busy), serial * step),   busy = min(1, workgroups / processors):
 *
 * the time between two kernels, which nothing overlaps since each waits for the one before it, and the longest of three things that do overlap. These are
 * its arithmetic, at the rate that kernels of its kind reach; its memory traffic, every byte once; and the longest loop of one thread, whose
 * steps wait for memory one after another however wide the adapter is. Where there are fewer workgroups than processors, the rest of these idle. A roofline
 * (Williams, Waterman & Patterson 2009) with a floor for latency, then. It knows nothing of caches, of registers or of a last round of workgroups that
 * is not full: what these cost is in the rates, which is why every kind of product has its own. On a software adapter kernels of exponentials
 * take longer than this, since their arithmetic counts an exponential as one flop.
 */
import type { KernelRates, RateName } from '../base/rates';
import type { Target } from '../base/target';
import type { Kernel, KernelKind } from '../graph/op';
import type { Plan } from './plan-types';

/** The rate of a kind's arithmetic. That of kernels which do little of it never matters on a GPU. */
export function rateOf(kind: KernelKind): RateName {
  if (kind === 'matrix product') return 'matrixFlops';
  if (kind === 'attention') return 'attentionFlops';
  if (kind === 'attention gradient') return 'attentionGradientFlops';
  if (kind === 'matrix attention') return 'matrixAttentionFlops';
  if (kind === 'matrix attention gradient') return 'matrixAttentionGradientFlops';
  return 'productFlops';
}

/** Workgroups of a kernel, in all dimensions. */
export const workgroupsOf = ({ workgroups: [x, y, z] }: Kernel): number => x * y * z;

/** Seconds of a kernel's arithmetic or memory traffic, the longer of them, where every processor has its share. */
export const workSeconds = ({ flops, bytes, kind }: Kernel, rates: KernelRates): number =>
  Math.max(flops / rates[rateOf(kind)].value, bytes / rates.bytes.value);

/** Seconds of the longest loop of a thread. */
export const waitingSeconds = ({ serial }: Kernel, rates: KernelRates): number => serial * rates.serialSeconds.value;

/** Expected seconds of a kernel: see the head of this file. */
export function kernelSeconds(kernel: Kernel, { rates }: Target): number {
  const busy = Math.min(1, workgroupsOf(kernel) / rates.processors.value);
  return rates.launchSeconds.value + Math.max(workSeconds(kernel, rates) / busy, waitingSeconds(kernel, rates));
}

/** What kernels cost together. */
export interface Cost {
  readonly kernels: number;
  readonly flops: number;
  readonly bytes: number;
  readonly seconds: number;
}

export interface KindCost extends Cost {
  readonly kind: KernelKind;
}

export interface LabelCost extends KindCost {
  readonly label: string;
}

const NOTHING: Cost = { kernels: 0, flops: 0, bytes: 0, seconds: 0 };

/** Cost of a plan by kind of kernel at the rates of its target, or of another; the most expensive kind first. */
export const costByKind = (plan: Plan, target: Target = plan.target): KindCost[] =>
  costBy(plan, target, ({ kind }) => kind).map(({ kernel: { kind }, cost }) => ({ kind, ...cost }));

/** The same by label and kind: kernels of one op can be of several kinds. */
export const costByLabel = (plan: Plan, target: Target = plan.target): LabelCost[] =>
  costBy(plan, target, ({ kind, label }) => `${kind} ${label}`).map(({ kernel: { kind, label }, cost }) => ({
    label,
    kind,
    ...cost,
  }));

function costBy(
  { steps }: Plan,
  target: Target,
  keyOf: (kernel: Kernel) => string,
): { readonly kernel: Kernel; readonly cost: Cost }[] {
  const groups = new Map<string, { kernel: Kernel; cost: Cost }>();
  for (const step of steps) {
    if (step.kind !== 'kernel') continue;
    const { kernel } = step;
    const { kernels, flops, bytes, seconds } = groups.get(keyOf(kernel))?.cost ?? NOTHING;
    const cost = {
      kernels: kernels + 1,
      flops: flops + kernel.flops,
      bytes: bytes + kernel.bytes,
      seconds: seconds + kernelSeconds(kernel, target),
    };
    groups.set(keyOf(kernel), { kernel, cost });
  }
  return [...groups.values()].sort((a, b) => b.cost.seconds - a.cost.seconds);
}
