/** A plan for people: kernels, arithmetic, memory by part, where the peak is, and the time it should take. */
import type { FittedStep } from '@franca/pretraining';
import { costByLabel, type Plan } from '@franca/tensor';
import type { DerivedOptions } from '../config/derived-options';
import { amountOfBytes, duration } from '../text/amounts';
import { costLines, lintLines } from './describe-costs';
import { rateNote } from './describe-rates';

export interface PlanContext {
  /** Seconds that planning took. */
  readonly planning: number;
  /** Ops to list. */
  readonly ops: number;
}

/** The report, line by line. */
export function describePlan({ plan, options, note }: FittedStep<DerivedOptions>, context: PlanContext): string[] {
  const { report, target } = plan;
  const { planning } = context;
  const { vit, batch } = options;
  return [
    row('model', `${vit.depth} blocks of ${vit.embedDim}, ${options.precision}, ${headText(options)}`),
    row('images', `${batch.perDevice} at a time, ${batch.accumulation} times per update of ${batch.total}`),
    row('adapter', target.name),
    row('kernels', `${report.kernels}, and ${report.copies} copies`),
    row(
      'arithmetic',
      `${giga(report.flops / batch.perDevice)} GFLOP per image, ${giga((report.flops / report.bytesMoved) * 1e9)} FLOP per byte moved`,
    ),
    row('expected time', timeText(plan, options)),
    '',
    ...costLines(plan),
    '',
    row('memory', amountOfBytes(report.totalBytes)),
    row('', note),
    ...Object.entries(report.bytes)
      .sort(([, a], [, b]) => b - a)
      .map(([part, bytes]) => row(`  ${part}`, amountOfBytes(bytes))),
    '',
    row('peak', `${amountOfBytes(report.peak.bytes)} of activations, at ${report.peak.at} (${report.peak.site})`),
    ...report.peak.alive
      .slice(0, context.ops)
      .map(({ name, count, bytes }) => row('', `${amountOfBytes(bytes).padStart(10)}  ${count} x ${name}`)),
    '',
    ...opLines(plan, context),
    '',
    ...narrowLines(plan),
    '',
    row('planned in', `${planning.toFixed(1)} s`),
  ];
}

const row = (label: string, text: string): string => `${label.padEnd(16)}${text}`;
const giga = (value: number): string => (value / 1e9).toPrecision(4);

function headText({ heads: { dino, ibot } }: DerivedOptions): string {
  const prototypes = [dino, ...(ibot ? [ibot] : [])]
    .flatMap(({ levels }) => levels)
    .reduce((sum, level) => sum + level.prototypes, 0);
  return `${dino.levels.length} levels, ${prototypes} prototypes in ${ibot ? 'two heads' : 'one head'}`;
}

function timeText({ report, target }: Plan, { batch, schedule }: DerivedOptions): string {
  const seconds = report.estimatedSeconds;
  const total = seconds * batch.accumulation * schedule.iterations;
  return `${seconds.toPrecision(3)} s for ${batch.perDevice} images, ${(batch.perDevice / seconds).toPrecision(3)} images/s, ${duration(total)} for ${schedule.iterations} updates (${rateNote(target.rates)})`;
}

function narrowLines(plan: Plan): string[] {
  const lines = lintLines(plan);
  return lines.map((line, i) => row(i === 0 ? 'waits for' : '', line));
}

/** Kernels by op, the most expensive first by the target's rates. */
function opLines(plan: Plan, { ops }: PlanContext): string[] {
  return [
    row('ops', `${'kernels'.padStart(8)}${'GFLOP'.padStart(12)}${'moved'.padStart(12)}${'expected ms'.padStart(13)}`),
    ...costByLabel(plan)
      .slice(0, ops)
      .map(({ label, kernels, flops, bytes, seconds }) =>
        row(
          '',
          `${String(kernels).padStart(8)}${(flops / 1e9).toFixed(1).padStart(12)}${amountOfBytes(bytes).padStart(12)}${(seconds * 1e3).toFixed(2).padStart(13)}  ${label.length > 60 ? `${label.slice(0, 57)}...` : label}`,
        ),
      ),
  ];
}
