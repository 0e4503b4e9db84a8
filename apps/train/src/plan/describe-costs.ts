/** The expected time of a plan, for people: kernels by kind, the rates that it rests on, and the kernels that a wide adapter waits for. */
import { costByKind, type KernelRates, type KindCost, type LintFinding, lintPlan, type Plan } from '@franca/tensor';
import { amountOfBytes } from '../text/amounts';
import { rateLines } from './describe-rates';

const FINDINGS = 8;

/** The expected time of a plan for machines. */
export interface CostReport {
  readonly kinds: readonly KindCost[];
  readonly rates: KernelRates;
  readonly lint: readonly LintFinding[];
}

export const costReport = (plan: Plan): CostReport => ({
  kinds: costByKind(plan),
  rates: plan.target.rates,
  lint: lintPlan(plan),
});

/** A table of kinds with a total, and a line for each rate. */
export function costLines(plan: Plan): string[] {
  const { kernels, flops, bytesMoved, estimatedSeconds } = plan.report;
  const cells = (columns: readonly string[], name: string): string =>
    `${columns.map((column) => column.padStart(12)).join('')}  ${name}`;
  const line = (kernels: number, flops: number, bytes: number, seconds: number, name: string): string =>
    cells([`${kernels}`, (flops / 1e9).toFixed(1), (bytes / 1e9).toFixed(2), (seconds * 1e3).toFixed(2)], name);
  return [
    cells(['kernels', 'GFLOP', 'GB', 'expected ms'], 'kind of kernel'),
    ...costByKind(plan).map(({ kind, ...cost }) => line(cost.kernels, cost.flops, cost.bytes, cost.seconds, kind)),
    line(kernels, flops, bytesMoved, estimatedSeconds, 'all'),
    '',
    ...rateLines(plan.target.rates).map(({ what, value, source }) => `${what.padEnd(26)}${value.padEnd(14)}${source}`),
  ];
}

/** Kernels that are narrow or serial, or large and not on the matrix units; those that cost most. */
export function lintLines(plan: Plan): string[] {
  const findings = lintPlan(plan);
  const more = findings.length - FINDINGS;
  return [...findings.slice(0, FINDINGS).map(findingText), ...(more > 0 ? [`and ${more} more (--json)`] : [])];
}

function findingText({ rule, kernel, count, workgroups, serial, bytes, flops, expectedSeconds }: LintFinding): string {
  const work = flops > 1e9 ? `${(flops / 1e9).toFixed(0)} GFLOP` : amountOfBytes(bytes);
  const form =
    rule === 'off the matrices' ? '' : `, ${workgroups} workgroups or more, ${serial} steps of a thread or fewer`;
  return `${rule}: ${count} x ${kernel}, ${(expectedSeconds * 1e3).toFixed(2)} ms, ${work}${form}`;
}
