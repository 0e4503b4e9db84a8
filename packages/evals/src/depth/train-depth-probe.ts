/**
 * Trains a depth probe on features that come batch by batch; nothing is kept besides one batch. One step is compiled and replayed: a smaller last batch is filled up
 * with empty images, whose pixels count as not measured and so change neither loss nor gradient. A batch without any measured pixel is passed over and counted
 * (the published code would divide by 0 and lose its weights). The same source and seed give the same bits on one adapter.
 */
import type { Gpu, OptionKinds } from '@franca/tensor';
import { checkArgument, checkOption, checkOptions, EvalsError } from '../errors';
import { type BatchShape, batchValues, checkBatch, filled, shapeOf } from './depth-batch';
import { checkDepth, type DepthFeatures } from './depth-features';
import type { HeadShape } from './depth-heads';
import type { DepthProbe, DepthTrainingState, TrainDepthOptions } from './depth-probe';
import { checkHead, DEPTH_PROTOCOLS, depthProtocol, farthest } from './depth-protocol';
import { type DepthStep, openDepthStep } from './depth-step';

/** The batches of one epoch, in order. */
export type DepthSource = (epoch: number) => Iterable<DepthFeatures> | AsyncIterable<DepthFeatures>;

const OPTIONS: OptionKinds<TrainDepthOptions> = {
  protocol: DEPTH_PROTOCOLS,
  head: ['dpt', 'linear'],
  stepsPerEpoch: 'number',
  epochs: 'number',
  batchSize: 'number',
  hidden: 'number',
  seed: 'number',
  onStep: 'function',
  onEpoch: 'function',
  resume: 'object',
};

/** Options with the protocol's values for what was not given, and the number of steps. */
interface Training
  extends Required<Pick<TrainDepthOptions, 'protocol' | 'head' | 'stepsPerEpoch' | 'batchSize' | 'hidden' | 'seed'>> {
  readonly steps: number;
}

/**
 * The trained probe.
 *
 * @throws EvalsError `argument` or `options`; `features` where batches are unlike, an epoch has another number of them than was said, or the loss is not finite
 */
export async function trainDepthProbe(gpu: Gpu, source: DepthSource, options: TrainDepthOptions): Promise<DepthProbe> {
  checkArgument('trainDepthProbe', 'gpu', gpu, 'object');
  checkArgument('trainDepthProbe', 'source', source, 'function');
  const training = readOptions(options);
  const { onStep, onEpoch, resume } = options;
  const { steps, stepsPerEpoch } = training;
  const losses = Float64Array.from({ length: steps }, (_, i) => resume?.losses[i] ?? Number.NaN);
  let { step: taken, skipped } = resume ?? { step: 0, skipped: 0 };
  let opened: OpenTraining | undefined;
  try {
    for (let epoch = resume?.epoch ?? 0; taken < steps || !opened; epoch++) {
      const before = taken;
      for await (const batch of source(epoch)) {
        const what = `trainDepthProbe: batch ${taken - before} of epoch ${epoch}`;
        if (!opened) checkDepth(what, batch);
        opened ??= await open(gpu, training, batch, resume);
        const images = checkBatch(what, batch, opened.shape);
        if (taken === steps || (depthProtocol(training.protocol).dropLast && images < training.batchSize)) break;
        if (taken - before === stepsPerEpoch) throw wrongLength(epoch, `more than ${stepsPerEpoch}`, training);
        const loss = isMeasured(batch, training) ? await stepOn(opened, batch, taken, steps) : Number.NaN;
        if (Number.isNaN(loss)) skipped++;
        losses[taken] = loss;
        onStep?.({ epoch, step: taken, steps, loss });
        taken++;
      }
      if (!opened) throw new EvalsError('features', 'trainDepthProbe: there is no batch to learn from');
      if (taken < steps && taken - before < stepsPerEpoch) throw wrongLength(epoch, taken - before, training);
      const tensors = onEpoch && taken > before ? await opened.step.tensors() : undefined;
      if (tensors) await onEpoch!({ epoch: epoch + 1, step: taken, losses: losses.slice(0, taken), skipped, tensors });
    }
    return { ...headOf(training, opened.shape), weights: await opened.step.weights(), losses, skipped };
  } finally {
    opened?.step[Symbol.dispose]();
  }
}

/** A compiled step, and what its batches are like. */
interface OpenTraining {
  readonly step: DepthStep;
  readonly shape: BatchShape;
}

function readOptions(options: TrainDepthOptions): Training {
  checkArgument('trainDepthProbe', 'options', options, 'object');
  checkOptions('trainDepthProbe', options, OPTIONS);
  checkArgument('trainDepthProbe', 'protocol', options.protocol, DEPTH_PROTOCOLS);
  const facts = depthProtocol(options.protocol);
  const {
    protocol,
    head = facts.heads[0]!,
    stepsPerEpoch,
    batchSize = facts.batchSize,
    hidden = 512,
    seed = 0,
    resume,
  } = options;
  checkHead('trainDepthProbe', protocol, head);
  const epochs = options.epochs ?? facts.epochs;
  for (const [name, value] of Object.entries({ stepsPerEpoch, batchSize, hidden, epochs: epochs ?? 1 }))
    checkOption(
      Number.isInteger(value) && value >= 1,
      `trainDepthProbe: ${name} is ${value}; it must be a positive integer`,
    );
  const steps = epochs === undefined ? facts.steps! : epochs * stepsPerEpoch;
  if (resume) {
    for (const name of ['epoch', 'step', 'skipped'] as const)
      checkArgument('trainDepthProbe', `resume.${name}`, resume[name], 'number');
    checkArgument('trainDepthProbe', 'resume.losses', resume.losses, 'list');
    checkArgument('trainDepthProbe', 'resume.tensors', resume.tensors, 'object');
    checkOption(resume.step <= steps, `trainDepthProbe: resume is at step ${resume.step} of a training of ${steps}`);
  }
  return { protocol, head, stepsPerEpoch, batchSize, hidden, seed, steps };
}

async function open(
  gpu: Gpu,
  training: Training,
  batch: DepthFeatures,
  resume: DepthTrainingState | undefined,
): Promise<OpenTraining> {
  const shape = shapeOf(batch, training.batchSize);
  const step = await openDepthStep(gpu, shape, headOf(training, shape), training.seed);
  try {
    if (resume) step.load(resume.tensors);
  } catch (error) {
    step[Symbol.dispose]();
    throw error;
  }
  return { step, shape };
}

const headOf = ({ protocol, head, hidden }: Training, { levels, dim }: BatchShape): HeadShape => ({
  protocol,
  head,
  levels,
  dim,
  hidden,
});

async function stepOn({ step, shape }: OpenTraining, batch: DepthFeatures, at: number, steps: number): Promise<number> {
  const depths = filled(batch.depths, shape.images * shape.depthSize[0] * shape.depthSize[1]);
  const loss = await step.run({ ...batchValues(batch, shape), depths }, at, steps);
  if (!Number.isFinite(loss))
    throw new EvalsError(
      'features',
      `trainDepthProbe: the loss of step ${at} is ${loss}; are features and depths finite?`,
    );
  return loss;
}

/** Whether the loss looks at any pixel. */
const isMeasured = ({ depths }: DepthFeatures, { protocol }: Training): boolean =>
  depths.some((depth) => depth > 0 && depth <= farthest(protocol));

const wrongLength = (epoch: number, batches: number | string, { stepsPerEpoch }: Training): EvalsError =>
  new EvalsError(
    'features',
    `trainDepthProbe: epoch ${epoch} has ${batches} batches; it was said to have ${stepsPerEpoch}`,
  );
