/** Where a step spends its time, by kind of kernel, beside what the cost model expects. */
import { tuningTable } from '@franca/tensor';
import { knownRates, profileByKind, profileRows, rateNote, withRates } from 'franca-train';
import { openStep } from '../../pretraining-step';
import type { Stage, StageContext, StageReport } from '../stage';
import { openForStage, stepFor } from '../step-options';

export const profile: Stage = {
  name: 'profile',
  about: 'ms of each kind of kernel beside the cost model',
  seconds: 60,
  run,
};

/** A replay or two before it is looked into: caches and clocks are as in training. */
const WARM_RUNS = 3;

async function run(context: StageContext, report: StageReport): Promise<void> {
  await using gpu = await openForStage(context);
  const fitted = stepFor(context, gpu);
  using opened = await openStep(gpu, fitted);
  const { step, batch, knobs } = opened;
  const { seconds, pipelines } = step.compileTime;
  report.figure({ name: 'compiling', value: seconds, unit: 's', beside: `${pipelines} pipelines` });
  report.detail('choices', step.tuning);
  report.detail('tuning', tuningTable(gpu));
  report.detail('memory', fitted.note);
  step.run(batch, knobs);
  for (let i = 1; i < WARM_RUNS; i++) step.run({}, knobs);
  await step.done();
  // rates of this card's data sheet where it is a card that is known, and what `doctor --measure` found here in their place
  const target = withRates(gpu.target, await knownRates(gpu.target.name), context.precision);
  report.note(`expected times: ${rateNote(target.rates)}`);
  report.detail('rates', target.rates);
  const rows = profileRows(await step.profile({}, knobs), step.plan, target);
  report.detail('kernels', rows);
  const kinds = profileByKind(rows);
  report.detail('kinds', kinds);
  const sum = (of: 'milliseconds' | 'expectedMilliseconds'): number => kinds.reduce((total, row) => total + row[of], 0);
  for (const { label, count, milliseconds, expectedMilliseconds, gigaflops, gigabytes } of kinds) {
    const rates = `${rate(gigaflops, milliseconds)} TFLOP/s, ${rate(gigabytes, milliseconds)} TB/s`;
    const beside = `expected ${expectedMilliseconds.toPrecision(3)}; ${count} kernels, ${rates}`;
    report.figure({ name: label, value: milliseconds, unit: 'ms', beside });
  }
  const beside = `expected ${sum('expectedMilliseconds').toPrecision(4)}`;
  report.figure({ name: 'all kernels', value: sum('milliseconds'), unit: 'ms', beside });
}

const rate = (billions: number, milliseconds: number): string => (billions / milliseconds).toPrecision(2);
