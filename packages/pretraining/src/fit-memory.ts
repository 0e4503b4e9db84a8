/**
 * What a step keeps for its backward pass and what it computes again, by the memory of the device.
 *
 * Two things are large and can be had twice instead of kept: the activations of blocks (rematerialisation: a forward pass of the student more, a quarter of the
 * step's work) and the logits of prototypes (a product more, a few per cent; more than the blocks where the model is small). Of the choices whose plan leaves
 * room for what a run has besides (crops, k-NN, pictures, the driver), the one with the least work is taken. Copies of the weights in f16 are a smaller thing: they
 * are kept beside either choice if they fit. Without rematerialisation the backward pass would keep the student's anyway.
 */
import type { ChunkOptions } from '@franca/nn';
import { layoutState, type Plan, planStep, type Target } from '@franca/tensor';
import type { PretrainOptions } from './options';
import { prototypeChunks } from './prototype-chunks';
import { pretrainSignature } from './signature';
import { pretrainGroups } from './state';
import { pretrainStep } from './step';

/** What is kept. */
export interface MemoryChoice {
  /** Block activations are computed again. */
  readonly remat: boolean;
  /** Logits of a level are kept if they take at most this many bytes as f32. */
  readonly keepBytes: number;
}

/** A step that is made for a device: `pretrainStep(options, chunks)`. */
export interface FittedStep<O extends PretrainOptions = PretrainOptions> {
  /** The options, with `remat` decided. */
  readonly options: O;
  readonly chunks: ChunkOptions;
  readonly choice: MemoryChoice;
  readonly plan: Plan;
  /** The choice and why, in words. */
  readonly note: string;
}

/** Share of a device's memory that the plan of a step may take. */
const PLAN_SHARE = 0.8;
/** What an adapter is taken to have that does not say it. */
const ASSUMED_BYTES = 8 * 2 ** 30;
/** More than any device has, and a number in JSON. */
const EVERYTHING = 2 ** 50;

/** The first has the least work, the last takes the least memory. */
const CHOICES: readonly MemoryChoice[] = [false, true].flatMap((remat) =>
  [EVERYTHING, 2 ** 30, 0].map((keepBytes) => ({ remat, keepBytes })),
);

/**
 * The step of a run for an adapter: the cheapest choice whose plan takes at most 80 % of `target.memoryBytes` (of 8 GiB where that is unknown), else the smallest.
 * `options.remat` true or false is obeyed, and only the logits are chosen. A run that goes on passes the choice it began with as `kept`: logits
 * that are computed again may round differently. Throws `TensorError` `binding-limit` where a tensor does not fit one binding.
 */
export function fitPretraining<O extends PretrainOptions>(
  options: O,
  target: Target,
  kept?: MemoryChoice,
): FittedStep<O> {
  const limit = PLAN_SHARE * (target.memoryBytes ?? ASSUMED_BYTES);
  const choices = kept ? [kept] : CHOICES.filter(({ remat }) => options.remat === 'auto' || options.remat === remat);
  const fits = ({ plan }: FittedStep): boolean => plan.report.totalBytes <= limit;
  const planned = (choice: MemoryChoice): FittedStep<O> => {
    const step = planChoice(options, target, choice);
    if (fits(step) || !choice.remat || options.precision === 'f32') return step;
    return planChoice({ ...options, weightCopies: false }, target, choice);
  };
  const first = planned(choices[0]!);
  const fitted = fits(first) ? first : leastWork([first, ...choices.slice(1).map(planned)], fits);
  return { ...fitted, note: `${kept ? 'as the run began, ' : ''}${describe(fitted, target, limit)}` };
}

/** Of the steps that fit the one with the least work; where none does, the last, which is the smallest. */
function leastWork<O extends PretrainOptions>(
  steps: readonly FittedStep<O>[],
  fits: (step: FittedStep) => boolean,
): FittedStep<O> {
  const work = ({ plan }: FittedStep): number => plan.report.flops;
  return steps.filter(fits).sort((a, b) => work(a) - work(b))[0] ?? steps.at(-1)!;
}

function planChoice<O extends PretrainOptions>(all: O, target: Target, choice: MemoryChoice): FittedStep<O> {
  const options = { ...all, remat: choice.remat };
  const chunks = { ...prototypeChunks(target), keepBytes: choice.keepBytes };
  const layout = layoutState(pretrainGroups(options), target);
  const plan = planStep(target, layout, pretrainStep(options, chunks), pretrainSignature(options));
  return { options, chunks, choice, plan, note: '' };
}

function describe({ choice, plan, options }: FittedStep, { memoryBytes }: Target, limit: number): string {
  const { totalBytes } = plan.report;
  const logits = { [EVERYTHING]: 'all logits kept', 0: 'large logits computed again' }[choice.keepBytes];
  const has = memoryBytes === undefined ? `${gibibytes(ASSUMED_BYTES)} assumed (unknown)` : gibibytes(memoryBytes);
  const room = totalBytes <= limit ? '' : `, more than the ${Math.round(100 * PLAN_SHARE)} % that a step should take`;
  return (
    `remat ${choice.remat ? 'on' : 'off'}, ${logits ?? `logits up to ${gibibytes(choice.keepBytes)} kept`}` +
    `${options.weightCopies === false ? ', no copies of weights' : ''}: ` +
    `the step takes ${gibibytes(totalBytes)} of ${has}${room}`
  );
}

const gibibytes = (bytes: number): string => `${Number((bytes / 2 ** 30).toPrecision(3))} GiB`;
