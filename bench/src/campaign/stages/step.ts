/** A whole training step beside the same step in PyTorch, eager and compiled: losses first, then times. */
import { benchTorch, type TorchOutcome, type TorchRecord, VARIANTS } from '../../torch/bench-torch';
import { findPython } from '../../torch/python';
import type { Stage, StageContext, StageReport } from '../stage';
import { imagesOf, stepConfig } from '../step-options';

export const step: Stage = {
  name: 'step',
  about: 'a whole step beside PyTorch, eager and compiled, losses first',
  seconds: 260,
  run,
};

async function run(context: StageContext, report: StageReport): Promise<void> {
  const { dry, seconds } = context;
  const python = findPython(context.python);
  if (!python) report.note('no Python with PyTorch here: the engine is timed alone');
  const batches = dry ? [imagesOf(context)] : [imagesOf(context), 2 * imagesOf(context)];
  const records: TorchRecord[] = [];
  for (const images of batches) {
    const record = await benchTorch({
      ...stepConfig(context),
      images,
      steps: dry ? 2 : 10,
      device: 'auto',
      // compiling takes PyTorch a minute: once is enough
      variants: !python ? [] : images === batches[0] ? VARIANTS : ['eager'],
      ...(python ? { python } : {}),
      limitSeconds: Math.floor(seconds / 3),
      log: console.log,
    });
    records.push(record);
    report.detail('records', records);
    if (images === batches[0]) report.detail('engineMilliseconds', record.engine.milliseconds);
    tell(record, report);
  }
}

function tell({ images, engine, memory, torch }: TorchRecord, report: StageReport): void {
  const { milliseconds, flops, kernels, compileSeconds, skipped } = engine;
  const rate = flops / milliseconds / 1e9;
  const beside = `${rate.toPrecision(3)} TFLOP/s, ${kernels} kernels, compiled in ${compileSeconds.toFixed(1)} s`;
  report.figure({ name: `engine, ${images} images`, value: milliseconds, unit: 'ms', beside });
  report.note(`${images} images: ${memory.note}${skipped > 0 ? `; ${skipped} first steps overflowed` : ''}`);
  for (const outcome of torch) tellTorch(outcome, images, report);
}

function tellTorch(outcome: TorchOutcome, images: number, report: StageReport): void {
  const name = `PyTorch ${outcome.variant}, ${images} images`;
  if ('error' in outcome) {
    report.note(`${name}: ${outcome.error.split('\n').at(-1)}`);
    return;
  }
  const { milliseconds, ratio, ratioBy, refused, lossDifference } = outcome;
  const verdict = ratio === undefined ? `no ratio: ${refused}` : `engine ${ratio.toFixed(2)}x as fast by ${ratioBy}`;
  report.figure({
    name,
    value: milliseconds,
    unit: 'ms',
    beside: `${verdict}; losses differ by ${lossDifference.toExponential(1)}`,
  });
}
