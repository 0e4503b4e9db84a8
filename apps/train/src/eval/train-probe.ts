/**
 * Trains the linear probe of whole images, for the evaluations that score it: from features on disk, or, as the official program does, from
 * random crops, of which nothing is kept.
 *
 * Chosen is on a tenth of train, or on the test set, as the paper does. Of features the chosen classifier is then
 * trained again on all of train; crops are only trained on once, and the held-out tenth stays out.
 */
import { createRandom, permutation } from '@franca/data';
import { type Json, type LinearProbeResult, linearProbe, type Outcome } from '@franca/evals';
import type { Command } from 'commander';
import { TrainError } from '../errors';
import { numberList, positiveInteger, positiveNumber } from '../options/option-values';
import { fewerInputs } from '../features/output-alone';
import { type CountProgress, countProgress } from '../text/count-progress';
import type { EvalContext } from './context';
import type { ImagePart } from './image-part';
import { PROBE_BYTES, probeBatch, selectOption } from './linear-training';
import {
  deviating,
  type Followed,
  follow,
  type LinearValues,
  learntFrom,
  PAPER_LINEAR,
  type ProtocolOptions,
  protocolOption,
} from './paper-protocol';
import { progressFor } from './progress-file';

export interface ProbeOptions extends ProtocolOptions, Partial<LinearValues> {
  readonly epochs?: number;
}

/** CLS tokens of so many last blocks that the grid reads. */
export const PROBE_BLOCKS = 4;

export const withProbeTraining = (command: Command): Command =>
  command
    .addOption(
      protocolOption(
        '224 px of 256, 12,500 steps of 1024 random crops, 52 classifiers, chosen on test, as behind Table 2',
      ),
    )
    .option('--epochs <n>', 'passes over train (default: 10)', positiveNumber)
    .option('--iterations <n>', 'steps, in place of --epochs', positiveInteger)
    .option('--train-batch <n>', 'images per step (default: 128, at most an eighth of train)', positiveInteger)
    .option('--learning-rates <list>', 'base learning rates (default: the official 13)', numberList)
    .option('--augment', 'random crops and flips of train, drawn anew for each pass, of which nothing is held')
    .option('--no-augment', 'train images as they are (default, but for --protocol paper)')
    .addOption(selectOption('the best classifier is'));

/** What is followed, known before anything is computed. */
export interface ProbePlan {
  readonly followed: Followed<LinearValues>;
  readonly epochs: number | undefined;
}

/** @throws TrainError `usage` for options that exclude each other */
export function planProbe(task: string, context: EvalContext, options: ProbeOptions): ProbePlan {
  const { protocol, epochs, iterations } = options;
  if (epochs !== undefined && (protocol || iterations !== undefined))
    throw new TrainError(
      'usage',
      protocol
        ? '--protocol paper counts steps; give --iterations in place of --epochs'
        : 'give --epochs or --iterations, not both',
    );
  const followed = follow({ task, protocol, paper: PAPER_LINEAR, given: options, input: context.input() });
  const alone = fewerInputs(context.session().weights);
  if (!protocol) return { followed: alone === undefined ? followed : noting(followed, task, alone), epochs };
  const { depth } = context.model();
  if (depth >= PROBE_BLOCKS) return { followed, epochs };
  const fewer = alone ?? `the model has ${depth} blocks, so that no classifier reads the last ${PROBE_BLOCKS}`;
  return { followed: deviating(followed, task, fewer), epochs };
}

function noting<Values>(followed: Followed<Values>, task: string, told: string): Followed<Values> {
  console.log(told);
  return { ...followed, notes: [...followed.notes, `${task}: ${told}`] };
}

export interface TrainedProbe extends LinearProbeResult {
  readonly train: ImagePart;
  readonly test: ImagePart;
  /** Deviations and what else is to be known of the training, for records. */
  readonly notes: readonly string[];
}

/** Trains, chooses, and scores on the tested part. */
export async function trainProbe(
  task: string,
  context: EvalContext,
  { followed, epochs }: ProbePlan,
): Promise<TrainedProbe> {
  const { values, resize } = followed;
  const { select = 'train-holdout', augment = false, iterations, trainBatch, learningRates } = values;
  const request = { blocks: PROBE_BLOCKS, resize };
  const train = await context.labelled('train', request);
  const test = await context.labelled('test', request);
  const { set } = train;
  const { notes, hyper } = learntFrom(followed, task, set);
  const batchSize = trainBatch ?? probeBatch(set.length);
  const settings = { learningRates, batchSize, classes: set.classes.length, select };
  const progress = await progressFor(context, 'linear', {
    parts: [train, test],
    options: { ...settings, augment, epochs, iterations, blocks: PROBE_BLOCKS },
  });
  const counter = stepCounter(task);
  const options = { ...settings, memory: PROBE_BYTES, backend: context.backend, progress, onStep: counter.onStep };
  const settled = (outcome: Outcome): Outcome => ({
    ...outcome,
    hyper: { ...outcome.hyper, ...hyper, crops: augment ? PAPER_LINEAR.crops.name : 'none' },
  });
  if (!augment) {
    const { probe: learnt } = await train.features();
    const { probe: tested } = await test.features();
    const result = await linearProbe(learnt, tested, { ...options, epochs, iterations }).finally(counter.end);
    return { ...result, outcome: settled(result.outcome), train, test, notes };
  }
  const { probe: tested } = await test.features();
  const { learnt, held } = holdOut(set.length, select === 'test' ? 0 : HELD_SHARE);
  const validation = held.length > 0 ? (await train.take(held).features()).probe : undefined;
  const steps = iterations ?? Math.max(1, Math.round(((epochs ?? 10) * learnt.length) / batchSize));
  const crops = { images: learnt, recipe: PAPER_LINEAR.crops, seed: SEED, batchSize };
  const source = { ...train.shape, items: learnt.length, classes: set.classes.length };
  const result = await linearProbe({ ...source, batches: (from?: Json) => train.crops(crops, from) }, tested, {
    ...options,
    iterations: steps,
    select: validation ? { validation } : 'test',
  }).finally(counter.end);
  const kept = `${task}: trained on ${learnt.length} of ${set.length} images of train; on the others it is chosen`;
  return {
    ...result,
    outcome: { ...settled(result.outcome), selectedOn: select },
    train,
    test,
    notes: validation ? [...notes, kept] : notes,
  };
}

/** A line for each training, which may go on from where it was stopped. */
function stepCounter(task: string) {
  let progress: CountProgress | undefined;
  let last = Number.POSITIVE_INFINITY;
  const end = (): void => progress?.end();
  return {
    end,
    onStep(step: number, _losses: Float64Array, steps: number): void {
      if (step <= last) {
        end();
        progress = countProgress(task, { items: 'steps', unit: 'steps' });
        progress.update(step, steps, true);
      }
      last = step;
      progress?.update(step + 1, steps, false);
    },
  };
}

const SEED = 0;
const HELD_SHARE = 0.1;

/** A share drawn by seed, none of 0, and the rest, both ascending. @throws TrainError `data` for a single image */
function holdOut(count: number, share: number): { readonly learnt: Int32Array; readonly held: Int32Array } {
  if (count < 2 && share > 0) throw new TrainError('data', `of ${count} images for training none can be held out`);
  const order = Int32Array.from(permutation(count, createRandom({ seed: SEED, position: 0, stream: 1 })));
  const size = share > 0 ? Math.max(1, Math.round(count * share)) : 0;
  return { learnt: order.slice(size).sort(), held: order.slice(0, size).sort() };
}
