/** The largest products of the step, and its attention, by each kernel there is: rates, and their share of what the card's libraries reach. */
import { timeVariants, type VariantTime } from '@franca/tensor';
import type { Stage, StageContext, StageReport } from '../stage';
import { readRecord } from '../stage-report';
import { largestOps, nameOf } from '../step-ops';
import { openForStage, stepFor } from '../step-options';
import type { CeilingDetails } from './ceilings';

export const products: Stage = {
  name: 'products',
  about: 'the largest products and attention by each kernel there is',
  seconds: 80,
  run,
};

interface Timed {
  readonly name: string;
  readonly count: number;
  readonly flops: number;
  readonly variants: readonly VariantTime[];
}

async function run(context: StageContext, report: StageReport): Promise<void> {
  const { dry, seconds } = context;
  await using gpu = await openForStage(context, dry ? { target: { family: 'gpu' }, tuning: false } : {});
  const ops = largestOps(stepFor(context, gpu).plan, context);
  const wanted = [...ops.products, ...ops.attentions];
  const timed: Timed[] = [];
  const ceilings = readRecord(context.before.ceilings)?.details as CeilingDetails | undefined;
  for (const planned of wanted) {
    const variants = await timeVariants(gpu, planned, {
      seconds: (seconds - 10) / wanted.length,
      which: dry ? 'candidates' : 'all',
    });
    timed.push({ name: nameOf(planned), count: planned.count, flops: planned.flops, variants });
    report.detail('products', timed);
    tell(timed.at(-1)!, ceilings, report);
    // what comes after this stage computes with what is the fastest
    const best = fastest(variants);
    if (planned.key !== undefined && best) gpu.tuning.cache?.set(planned.key, best.variant);
  }
  totals(timed, report);
}

/** The fastest variant that is right, its rate, and its share of the ceilings that are known. */
function tell(
  { name, count, flops, variants }: Timed,
  ceilings: CeilingDetails | undefined,
  report: StageReport,
): void {
  for (const { variant, agrees, difference, problem } of variants) {
    if (problem) report.note(`${name} by ${variant}: ${problem.split('\n')[0]}`);
    if (agrees === false)
      report.note(`WRONG: ${name} by ${variant} differs by ${difference?.toPrecision(2)} of its largest value`);
  }
  const best = fastest(variants);
  if (!best) {
    report.note(`${name}: no kernel is right`);
    return;
  }
  const rate = flops / best.seconds;
  const library = ceilings?.seconds?.[name];
  const shares = [
    ...(library === undefined ? [] : [`${percent(library / best.seconds)} of the library`]),
    ...(ceilings?.mmaFlops === undefined ? [] : [`${percent(rate / ceilings.mmaFlops)} of mma.sync`]),
  ];
  const beside = [`${count}x`, best.variant, ...shares].join(', ');
  report.figure({ name, value: rate / 1e12, unit: 'TFLOP/s', beside });
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

function fastest(variants: readonly VariantTime[]): { variant: string; seconds: number } | undefined {
  const right = variants.flatMap(({ variant, seconds, agrees }) =>
    seconds !== undefined && agrees !== false ? [{ variant, seconds }] : [],
  );
  return right.sort((a, b) => a.seconds - b.seconds)[0];
}

/** All of them as often as the step has them. */
function totals(timed: readonly Timed[], report: StageReport): void {
  const known = timed.flatMap(({ count, flops, variants }) => {
    const best = fastest(variants);
    return best ? [{ flops: count * flops, seconds: count * best.seconds }] : [];
  });
  const sum = (of: 'flops' | 'seconds'): number => known.reduce((total, one) => total + one[of], 0);
  if (known.length === 0) return;
  report.figure({ name: 'all of these in one step', value: 1000 * sum('seconds'), unit: 'ms' });
  report.figure({ name: 'rate of all of these', value: sum('flops') / sum('seconds') / 1e12, unit: 'TFLOP/s' });
}
