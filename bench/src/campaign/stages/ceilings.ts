/** What the card reaches without the engine's kernels: copies, the vendor's products and attention, and `mma.sync` from registers. */
import { measurePeak } from '../../peak';
import { type Ceilings, mmaProbe, torchCeilings } from '../../torch/ceilings';
import type { Stage, StageContext, StageReport } from '../stage';
import { attentionSize, type LargestOps, largestOps, nameOf, productSize } from '../step-ops';
import { openForStage, stepFor } from '../step-options';

export const ceilings: Stage = {
  name: 'ceilings',
  about: "copies, the vendor's products and attention, mma.sync",
  seconds: 60,
  run,
};

/** What later stages hold the engine's kernels against. */
export interface CeilingDetails {
  /** Seconds of the vendor's libraries by the name of an op. */
  readonly seconds: Readonly<Record<string, number>>;
  /** flop/s of `mma.sync`, where it was measured. */
  readonly mmaFlops?: number;
}

async function run(context: StageContext, report: StageReport): Promise<void> {
  const ops = await measureOwn(context, report);
  try {
    const { teraflops, device, processors } = await mmaProbe(Math.floor(context.seconds / 2));
    const beside = `from registers, ${processors} processors of ${device}`;
    report.figure({ name: 'mma.sync, f16 to f32', value: teraflops, unit: 'TFLOP/s', beside });
    report.detail('mmaFlops', teraflops * 1e12);
  } catch (error) {
    report.note(oneLine(error));
  }
  try {
    tell(await measureTorch(context, ops), ops, report);
  } catch (error) {
    report.note(`without the vendor's rates: ${oneLine(error)}`);
  }
}

const oneLine = (error: unknown): string => (error as Error).message.replace(/\s*\n\s*/g, '; ');

/** Copies and multiply-adds by kernels that do nothing else; resolves to the ops that others are to compute. */
async function measureOwn(context: StageContext, report: StageReport): Promise<LargestOps> {
  await using gpu = await openForStage(context, { tuning: false });
  const { bytesPerSecond, flopsPerSecond } = await measurePeak(gpu);
  report.figure({ name: 'copy', value: bytesPerSecond / 1e9, unit: 'GB/s', beside: 'read and written, by a kernel' });
  report.figure({ name: 'f32 multiply-adds', value: flopsPerSecond / 1e12, unit: 'TFLOP/s', beside: 'in registers' });
  return largestOps(stepFor(context, gpu).plan, context);
}

const measureTorch = (
  { dry, seconds, precision, python }: StageContext,
  { products, attentions }: LargestOps,
): Promise<Ceilings> =>
  torchCeilings({
    products: products.map((planned) => ({ ...productSize(planned), count: planned.count })),
    attention: forwards(attentions).map(attentionSize),
    dtypes: [precision],
    ...(dry ? { copyBytes: 2 ** 22, repeats: 3 } : {}),
    device: 'auto',
    ...(python ? { python } : {}),
    limitSeconds: Math.floor(seconds / 2),
  });

/** A library is asked for both ways at once. */
const forwards = (attentions: LargestOps['attentions']): LargestOps['attentions'] =>
  attentions.filter(({ op }) => op.name === 'attention');

function tell({ device, version, copy, products, attention }: Ceilings, ops: LargestOps, report: StageReport): void {
  report.note(`PyTorch ${version} on ${device}`);
  if ('error' in copy) report.note(`no copy: ${copy.error}`);
  else report.figure({ name: 'copy in PyTorch', value: copy.gigabytesPerSecond, unit: 'GB/s' });
  const seconds: Record<string, number> = {};
  const rate = (name: string, milliseconds: number, teraflops: number): void => {
    seconds[name] = milliseconds / 1000;
    report.figure({ name, value: teraflops, unit: 'TFLOP/s' });
  };
  products.forEach((product, i) => {
    const name = nameOf(ops.products[i]!);
    if ('error' in product) report.note(`${name}: ${product.error}`);
    else rate(name, product.milliseconds, product.teraflops);
  });
  attention.forEach((one, i) => {
    const name = nameOf(forwards(ops.attentions)[i]!);
    if ('error' in one) report.note(`${name}: ${one.error}`);
    else {
      rate(name, one.forwardMilliseconds, one.forwardTeraflops);
      rate(name.replace('attention', 'attentionGradient'), one.backwardMilliseconds, one.backwardTeraflops);
    }
  });
  report.detail('seconds', seconds);
}
