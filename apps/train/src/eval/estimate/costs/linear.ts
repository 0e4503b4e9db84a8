/** What the linear evaluation costs: its images as features or as random crops, and the training of a grid of classifiers. */
import { requireLabels } from '../../../image-sets/image-set';
import { probeBatch } from '../../linear-training';
import { PROBE_BLOCKS, planProbe } from '../../train-probe';
import type { UseProbeOptions } from '../../use-probe';
import type { CostQuestion, FeatureReading, TaskCost } from '../task-cost';
import { probeHeld, probeSizes, probeWork, scoringWork } from './probe';
import { tokensOf } from './readings';

export async function linearCost(question: CostQuestion, options: UseProbeOptions): Promise<TaskCost> {
  const { session, backend, context, sets } = question;
  const { embedDim: dim, depth } = session.model.config;
  const shape = {
    dim,
    blocks: Math.min(PROBE_BLOCKS, depth),
    patchMean: session.weights.outputAlone?.hasPatchMean ?? true,
  };
  if (options.probe !== undefined) return loadedCost(question, options, shape);
  const { followed, epochs } = planProbe('linear', context, options);
  const { values, resize } = followed;
  const { select = 'train-holdout', augment = false, iterations, trainBatch, learningRates } = values;
  const { train, test } = requireLabels(await sets('images'));
  const sizes = { train: train.length, test: test.length, classes: train.classes.length };
  const batchSize = trainBatch ?? probeBatch(train.length);
  const cost = { backend, shape, ...sizes, batchSize, epochs, iterations, select, learningRates, again: !augment };
  const { steps, columns, judged } = probeSizes(cost);
  const read = (set: typeof train): FeatureReading =>
    tokensOf(question, set, { blocks: PROBE_BLOCKS, patchMean: true, resize });
  const held = augment && select !== 'test' ? judged : 0;
  return {
    reads: augment
      ? [
          // crops differ from pass to pass, so nothing of them is kept; a plain picture takes as long
          { ...read(train), fresh: steps * batchSize + held },
          read(test),
        ]
      : [read(train), read(test)],
    work: probeWork(cost),
    held: probeHeld(cost, columns, augment ? held : train.length),
  };
}

/** Of one that is read from a file, nothing is trained. */
async function loadedCost(
  question: CostQuestion,
  { resize }: UseProbeOptions,
  shape: { readonly dim: number; readonly blocks: number; readonly patchMean: boolean },
): Promise<TaskCost> {
  const { backend, context } = question;
  const test = await context.tested();
  const classes = test.classes.length;
  const columns = (shape.blocks + Number(shape.patchMean)) * shape.dim;
  return {
    reads: [tokensOf(question, test, { blocks: shape.blocks, patchMean: shape.patchMean, resize })],
    work: [scoringWork({ backend, shape, classes }, 'score', test.length * columns * classes)],
    held: { host: 4 * test.length * columns, device: 4 * columns * classes },
  };
}
