/** Linear probe: 13 learning rates x {1, 4 blocks} x {with, without patch mean}, trained at once. */
import type { LinearProbeResult } from '@franca/evals';
import type { ReportSection } from '@franca/viz';
import { linearCost } from '../estimate/costs/linear';
import { PAPER_LINEAR } from '../paper-protocol';
import type { EvalTask } from '../task';
import { PROBE_BLOCKS } from '../train-probe';
import { type UseProbeOptions, useProbe, withProbe } from '../use-probe';

export const task: EvalTask = {
  name: 'linear',
  about: 'linear probe, 52 classifiers at once (paper Table 2)',
  reads: 'labelled',
  blocks: PROBE_BLOCKS,
  order: 2,
  inputSize: ({ protocol }) => (protocol === 'paper' ? PAPER_LINEAR.size : undefined),
  cost: linearCost,
  options: withProbe,
  async run(context, options: UseProbeOptions) {
    const { test, outcome, grid, others } = await useProbe('linear', context, options);
    const records = context.records(test, [outcome], undefined, others);
    return { records, ...(grid && { section: gridSection(grid) }) };
  },
};

/** The best of all classifiers that were tried. */
export function gridSection(grid: LinearProbeResult['grid']): Omit<ReportSection, 'title'> {
  const rows = grid.toSorted((a, b) => b.top1 - a.top1).slice(0, 10);
  return {
    text: `The best ten of ${grid.length} classifiers, by what the choice was made on.`,
    tables: [{ columns: ['classifier', 'top-1 %'], rows: rows.map(({ name, top1 }) => [name, 100 * top1]) }],
  };
}
