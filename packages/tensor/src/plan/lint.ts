/**
 * A lint over plans: kernels that a wide adapter waits for. A card of a hundred processors is as slow as the one thread that adds ten thousand rows while the others
 * idle, and a large f16 product that is not computed on its matrix units takes many times as long as one that is. Both are read off a plan, which
 * needs no such card.
 */
import type { Target } from '../base/target';
import type { Kernel } from '../graph/op';
import { kernelSeconds, waitingSeconds, workgroupsOf, workSeconds } from './cost';
import type { Plan } from './plan-types';

/** Most bytes of a kernel that may be narrow, and most steps of a loop that any may have. */
const LEAST_BYTES = 1e6;
const NARROW_SERIAL = 128;
const LONGEST_SERIAL = 64;
/** Waiting below this is what a few launches take. */
const LEAST_WAITING = 1e-5;
const LARGE_FLOPS = 1e9;
const WORKGROUPS_PER_PROCESSOR = 2;

export type LintRule = 'narrow and serial' | 'serial' | 'off the matrices';

type Test = (kernel: Kernel, target: Target) => boolean;

const RULES: Readonly<Record<LintRule, Test>> = {
  /** Moves much, by few workgroups, each thread in a long loop. */
  'narrow and serial': (kernel, { rates }) =>
    kernel.bytes > LEAST_BYTES &&
    kernel.serial > NARROW_SERIAL &&
    workgroupsOf(kernel) < WORKGROUPS_PER_PROCESSOR * rates.processors.value,
  /** The loop of one thread takes longer than all the adapter would for what the kernel computes and moves. */
  serial: (kernel, { rates }) =>
    kernel.serial > LONGEST_SERIAL &&
    waitingSeconds(kernel, rates) > Math.max(LEAST_WAITING, workSeconds(kernel, rates)),
  /** A large product or attention in f16, on an adapter that has matrix units for it, without them. */
  'off the matrices': ({ kind, flops, bindings, wgsl }, { f16, subgroupMatrices }) =>
    f16 &&
    subgroupMatrices.length > 0 &&
    flops > LARGE_FLOPS &&
    ['product', 'attention', 'attention gradient'].includes(kind) &&
    bindings.some(({ tensor }) => tensor.dtype === 'f16') &&
    !wgsl.includes('subgroup_matrix_'),
};

/** Kernels of one label that a rule names. */
export interface LintFinding {
  readonly rule: LintRule;
  readonly kernel: string;
  readonly count: number;
  /** The fewest of any of them, and the longest loop. */
  readonly workgroups: number;
  readonly serial: number;
  /** Of all of them together. */
  readonly bytes: number;
  readonly flops: number;
  readonly expectedSeconds: number;
}

/** What the rules name in a plan, by rule and label, the most expensive first. */
export function lintPlan({ steps, target }: Plan): LintFinding[] {
  const findings = new Map<string, LintFinding>();
  for (const step of steps) {
    if (step.kind !== 'kernel') continue;
    for (const [rule, isNamed] of Object.entries(RULES) as [LintRule, Test][])
      if (isNamed(step.kernel, target)) {
        const key = `${rule} ${step.kernel.label}`;
        findings.set(key, withKernel(findings.get(key), rule, step.kernel, target));
      }
  }
  return [...findings.values()].sort((a, b) => b.expectedSeconds - a.expectedSeconds);
}

const withKernel = (known: LintFinding | undefined, rule: LintRule, kernel: Kernel, target: Target): LintFinding => ({
  rule,
  kernel: kernel.label,
  count: (known?.count ?? 0) + 1,
  workgroups: Math.min(known?.workgroups ?? Number.POSITIVE_INFINITY, workgroupsOf(kernel)),
  serial: Math.max(known?.serial ?? 0, kernel.serial),
  bytes: (known?.bytes ?? 0) + kernel.bytes,
  flops: (known?.flops ?? 0) + kernel.flops,
  expectedSeconds: (known?.expectedSeconds ?? 0) + kernelSeconds(kernel, target),
});
