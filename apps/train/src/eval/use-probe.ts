/** The linear probe that an evaluation scores: trained now, and kept in a file where that is asked for, or loaded from one. */
import { type LinearProbeResult, type Outcome, type ProbeScore, probeOutcome } from '@franca/evals';
import type { Command } from 'commander';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';
import { centreCrop } from '../image-sets/preparation';
import type { EvalContext } from './context';
import type { ImagePart, ImageRequest } from './image-part';
import { atOtherSets, flagOf } from './paper-protocol';
import type { Part } from './part';
import { classIdsOf, type NamedProbe, scoreSet } from './probe-classes';
import { type ProbeOrigin, readProbe, type SavedProbe, writeProbe } from './probe-file';
import { type ProbeOptions, planProbe, trainProbe, withProbeTraining } from './train-probe';

export interface UseProbeOptions extends ProbeOptions {
  readonly probe?: string;
  readonly saveProbe?: string;
  readonly resize?: number;
}

export const withProbe = (command: Command): Command =>
  withProbeTraining(command)
    .option('--save-probe <file>', 'write the chosen classifier (safetensors), to be scored on other sets')
    .option('--probe <file>', 'score a classifier that --save-probe wrote in place of training one');

/** A probe, and how it does on the tested part of the data. */
export interface UsedProbe extends NamedProbe {
  readonly test: ImagePart;
  readonly outcome: Outcome;
  /** All classifiers that it was chosen from; absent of one that was loaded. */
  readonly grid?: LinearProbeResult['grid'];
  readonly origin: ProbeOrigin;
  /** What it reads of an image. */
  readonly request: ImageRequest;
  /** What else was read, for the notes of records. */
  readonly others: readonly Part[];
}

/** @throws TrainError as `planProbe`, `readProbe` and `mapClasses` */
export async function useProbe(task: string, context: EvalContext, options: UseProbeOptions): Promise<UsedProbe> {
  checkProbeOptions(options);
  return options.probe === undefined ? trained(task, context, options) : loaded(task, context, options, options.probe);
}

async function trained(task: string, context: EvalContext, options: UseProbeOptions): Promise<UsedProbe> {
  const plan = planProbe(task, context, options);
  const { probe, outcome, grid, train, test, notes } = await trainProbe(task, context, plan);
  const { dataset, split } = train.set;
  const { hyper, selectedOn, seeds } = outcome;
  const classes = classIdsOf(train.set);
  const model = context.model();
  const resize = plan.followed.resize ?? centreCrop(model.size).resize;
  const origin = { dataset, split, hyper, selectedOn, seeds, notes: [...train.set.notes, ...notes] };
  if (options.saveProbe) {
    await writeProbe(options.saveProbe, { probe, classes, model, resize, origin });
    console.log(`wrote ${options.saveProbe}`);
  }
  const { blocks, avgpool } = probe.input;
  const request = { blocks, patchMean: avgpool, resize };
  const set = { ...test.set, notes: [...test.set.notes, ...notes] };
  return { probe, classes, test: { ...test, set }, outcome, grid, origin, request, others: [train] };
}

/** Options of the training, which is done. */
const OF_TRAINING = [
  'protocol',
  'epochs',
  'iterations',
  'trainBatch',
  'learningRates',
  'augment',
  'select',
  'saveProbe',
];

/** @throws TrainError `usage` where a probe is to be loaded and trained too */
export function checkProbeOptions({ probe, ...options }: UseProbeOptions): void {
  const given = Object.entries(options).find(([name, value]) => value !== undefined && OF_TRAINING.includes(name));
  if (probe !== undefined && given)
    throw new TrainError('usage', `${probe} is trained already; leave out ${flagOf(given[0])}, or --probe`);
}

/** A probe of the context's model. @throws TrainError as `readProbe`, and `usage` where images are to be resized otherwise than it saw them */
export async function loadProbe(context: EvalContext, path: string, resize: number | undefined): Promise<SavedProbe> {
  const saved = await readProbe(path, context.model());
  if (resize !== undefined && resize !== saved.resize)
    throw new TrainError(
      'usage',
      `${path} is a probe on images resized to ${saved.resize}; leave out --resize ${resize}`,
    );
  return saved;
}

async function loaded(task: string, context: EvalContext, options: UseProbeOptions, path: string): Promise<UsedProbe> {
  const { resize, ...saved } = await loadProbe(context, path, options.resize);
  const { blocks, avgpool } = saved.probe.input;
  const request = { blocks, patchMean: avgpool, resize };
  const tested = await context.tested();
  checkUnseen(path, saved.origin, tested);
  const test = context.of(tested, request);
  const began = performance.now();
  const score = await scoreSet(saved, test, { backend: context.backend, among: 'all' });
  const { dataset, split, notes } = saved.origin;
  const set = {
    ...test.set,
    notes: [...test.set.notes, `${task}: the probe was loaded, trained on ${dataset} ${split}`, ...notes],
  };
  const wallMs = performance.now() - began;
  const candidates = saved.classes.length;
  const outcome = otherOutcome(saved.origin, score, { total: test.set.total, candidates, wallMs });
  return { ...saved, test: { ...test, set }, outcome, request, others: [] };
}

/** @throws TrainError `usage` where the probe learned from some of the images that it would be tested on */
function checkUnseen(path: string, { dataset, split }: ProbeOrigin, tested: ImageSet): void {
  if (split === 'train' && tested.dataset === dataset && tested.split === 'all')
    throw new TrainError(
      'usage',
      `${path} was trained on images of ${dataset}, all of which would be tested on; with --split held-out it is tested on the tenth that is never trained on`,
    );
}

/** What a probe scores on a set that it was not chosen for; `candidates`: classes among which its images are told. */
export function otherOutcome(
  { hyper, selectedOn, seeds, dataset, split }: ProbeOrigin,
  score: ProbeScore,
  { total, candidates, wallMs }: { readonly total: number; readonly candidates: number; readonly wallMs: number },
): Outcome {
  const from = { ...atOtherSets(hyper, dataset), trainedOn: `${dataset} ${split}`, candidates };
  return probeOutcome(score, { hyper: from, selectedOn, seeds, total, wallMs });
}
