/** The largest products of the step, and its attention, by each kernel there is: rates, and their share of what the card's libraries reach. */
import { productsOf, timeVariants, tuningTable, type VariantTime } from '@franca/tensor';
import { nameOf } from '../op-name';
import type { Stage, StageContext, StageReport } from '../stage';
import { readRecord } from '../stage-report';
import { openForStage, stepFor } from '../step-options';

export const products: Stage = {
  name: 'products',
  about: 'the largest products and attention by each kernel; writes the tuning table',
  seconds: 80,
  run,
};

/** How many of each are timed. */
const MOST = { full: { products: 24, attentions: 6 }, dry: { products: 2, attentions: 2 } };

interface Timed {
  readonly name: string;
  readonly count: number;
  readonly flops: number;
  readonly variants: readonly VariantTime[];
}

async function run(context: StageContext, report: StageReport): Promise<void> {
  const { dry, seconds } = context;
  await using gpu = await openForStage(context, dry ? { target: { family: 'gpu' }, tuning: false } : {});
  const { plan } = stepFor(context, gpu);
  const most = dry ? MOST.dry : MOST.full;
  const attentions = productsOf(plan, ({ name }) => /attention/i.test(name)).slice(0, most.attentions);
  const wanted = [...productsOf(plan).slice(0, most.products), ...attentions];
  const timed: Timed[] = [];
  const ceilings = new Map(Object.entries((readRecord(context.before.ceilings)?.details.rates ?? {}) as Rates));
  for (const planned of wanted) {
    const variants = await timeVariants(gpu, planned, {
      seconds: (seconds - 10) / wanted.length,
      which: dry ? 'candidates' : 'all',
    });
    timed.push({ name: nameOf(planned), count: planned.count, flops: planned.flops, variants });
    report.detail('products', timed);
    tell(timed.at(-1)!, ceilings, report);
  }
  totals(timed, report);
  report.detail('tuning', tuningTable(gpu));
}

/** FLOP per second by the name of a product, as the card's libraries reach it; and of `mma.sync` alone. */
type Rates = Readonly<Record<string, number>>;

/** The fastest variant that is right, its rate, and its share of the ceilings that are known. */
function tell(
  { name, count, flops, variants }: Timed,
  ceilings: ReadonlyMap<string, number>,
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
  const shares = [
    ...shareOf(rate, ceilings.get(name), 'of the library'),
    ...shareOf(rate, ceilings.get('mma.sync'), 'of mma.sync'),
  ];
  report.figure({
    name,
    value: rate / 1e12,
    unit: 'TFLOP/s',
    beside: [`${count}x`, best.variant, ...shares].join(', '),
  });
}

const shareOf = (rate: number, ceiling: number | undefined, of: string): string[] =>
  ceiling === undefined ? [] : [`${((100 * rate) / ceiling).toFixed(0)} % ${of}`];

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
