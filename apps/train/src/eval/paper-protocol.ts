/**
 * `--protocol paper`: what each evaluation of the paper sets, in one place.
 *
 * The values are those of the programs behind the paper. Dense evaluations (Table 4) follow NeCo's evaluation (linear segmentation,
 * overclustering) and open-hummingbird-eval (in-context); those of whole images DINOv2's (k-NN and the linear probe of Table 2, logistic
 * regression of Table 3) and OpenOOD v1.5 (Fig. 8). What one gives beside the protocol wins and is told as a deviation, so is a training
 * part of another size; what the programs do that is not done here stands in `differs`.
 */
import { OFFICIAL_CS, OFFICIAL_LEARNING_RATES, type Outcome, PAPER_SETTINGS } from '@franca/evals';
import { Option } from 'commander';
import type { CropRecipe } from '../image-sets/crops';
import { type DenseLook, wholePatches } from '../image-sets/preparation';
import type { Selection } from './linear-training';

/** What a task does under the protocol. */
export interface PaperProtocol<Values> {
  /** Side of the input in pixels; the nearest whole patches are taken. */
  readonly size: number;
  /** Where a centre of that side is cut out: the shorter side before it. Else the whole picture is squashed to a square. */
  readonly resize?: number;
  /** Options of the task. */
  readonly values: Values;
  /** How patches are looked at; default as everywhere. */
  readonly look?: DenseLook;
  /** Crops of train images, drawn anew for each pass. */
  readonly crops?: CropRecipe;
  /** In which the reference differs from what is done, or what is unknown of it. */
  readonly differs: readonly string[];
}

export interface KnnValues {
  readonly k: readonly number[];
  readonly temperature: number;
}

/** CLS tokens of unit length, the best k of four. */
export const PAPER_KNN: PaperProtocol<KnnValues> = {
  size: 224,
  resize: 256,
  values: { k: [10, 20, 100, 200], temperature: 0.07 },
  differs: [],
};

export interface LinearValues {
  readonly iterations: number;
  readonly trainBatch: number;
  readonly learningRates: readonly number[];
  readonly select: Selection;
  readonly augment: boolean;
}

/** 13 rates x {1, 4} blocks x {without, with the patch mean}, by SGD with momentum 0.9 and a cosine to 0, without weight decay. */
export const PAPER_LINEAR: PaperProtocol<LinearValues> & { readonly crops: CropRecipe } = {
  size: 224,
  resize: 256,
  values: {
    iterations: 12_500,
    trainBatch: 1024,
    learningRates: OFFICIAL_LEARNING_RATES,
    select: 'test',
    augment: true,
  },
  crops: { name: 'dinov2-linear', scale: [0.08, 1], flipProbability: 0.5, jitter: 0, filter: 'bicubic' },
  differs: [],
};

export interface LogregValues {
  readonly c: readonly number[];
}

/** C is chosen on the validation part, or on a tenth of train where there is none, then both are fitted; CLS tokens are not normalised. */
export const PAPER_LOGREG: PaperProtocol<LogregValues> = {
  size: 224,
  resize: 224,
  values: { c: OFFICIAL_CS },
  differs: [],
};

export interface OodValues {
  /** What the classifier whose logits are scored reads: the CLS token of the last block, or that with the mean patch token. */
  readonly head: 'cls' | 'cls+mean';
}

/** OpenOOD's script for foundation models: the released linear classifiers on CLS and patch mean, scored by their largest probability. */
export const PAPER_OOD: PaperProtocol<OodValues> = {
  size: 224,
  resize: 256,
  values: { head: 'cls+mean' },
  differs: [
    'the paper does not name its score, the reference for foundation models takes the largest probability (msp)',
  ],
};

export interface LinearSegValues {
  readonly epochs: number;
  readonly learningRates: readonly number[];
  readonly select: Selection;
  readonly compareAt: number;
  readonly trainBatch: number;
  readonly augment: boolean;
}

export const PAPER_LINEAR_SEG: PaperProtocol<LinearSegValues> & { readonly crops: CropRecipe } = {
  size: 448,
  values: {
    epochs: 25,
    learningRates: [0.001, 0.005, 0.01, 0.05, 0.1],
    select: 'test',
    compareAt: 100,
    trainBatch: 128,
    augment: true,
  },
  look: { filter: 'bilinear' },
  crops: { name: 'neco', scale: [0.8, 1], flipProbability: 0.5, jitter: 0 },
  differs: [
    "the paper's five learning rates are unknown, these are a choice",
    'the reference takes train images in the order of their list and leaves out the last incomplete batch, of test images too; here the order is drawn and all are taken',
  ],
};

export interface InContextValues {
  readonly neighbours: number;
  readonly temperature: number;
  readonly memory: number;
  readonly passes: number;
  readonly relabel: 'none' | 'hungarian';
}

export const PAPER_IN_CONTEXT: PaperProtocol<InContextValues> & { readonly crops: CropRecipe } = {
  size: 518,
  values: { neighbours: 30, temperature: 0.02, memory: 10_240_000, passes: 2, relabel: 'hungarian' },
  look: { filter: 'bilinear', statistics: 'hummingbird', nearest: 'corner' },
  crops: { name: 'hummingbird', scale: [0.5, 2], flipProbability: 0, jitter: 0.1 },
  differs: [
    'the reference searches approximately (ScaNN), here the search is exact',
    'the reference resizes train images after normalisation, here they are rounded to 8 bits before it',
  ],
};

export interface OverclusterValues {
  /** As many as there are classes come first. */
  readonly clusters: readonly number[];
  readonly seeds: readonly number[];
  readonly match: 'auto' | 'hungarian' | 'precision' | 'iou';
  readonly start: 'k-means++' | 'random';
}

export const PAPER_OVERCLUSTER: PaperProtocol<OverclusterValues> = {
  size: 448,
  values: { clusters: [100, 300, 500], seeds: [0, 1, 2, 3, 4], match: 'auto', start: 'random' },
  look: { filter: 'bilinear' },
  differs: [
    "the paper's numbers of clusters are unknown; its columns fit 100 and 300 or 500",
    'the reference fits PCA on at most 1,000 tokens a dimension and leaves out the last incomplete batch of images, here all are taken',
  ],
};

export interface ProtocolOptions {
  readonly protocol?: 'paper';
}

export const protocolOption = (sets: string): Option =>
  new Option('--protocol <name>', `paper: ${sets}; options given beside it win and are told`).choices(['paper']);

/** What is asked of a task: the protocol or none, and the options that were given. */
export interface Asked<Values> {
  readonly task: string;
  readonly protocol: ProtocolOptions['protocol'];
  readonly paper: PaperProtocol<Values>;
  /** All options that were given: those of the protocol and others. */
  readonly given: Partial<Values>;
  readonly input: { readonly size: number; readonly patchSize: number };
}

/** What came of it. */
export interface Followed<Values> {
  readonly values: Partial<Values>;
  readonly look: DenseLook;
  /** Shorter side before the centre is cut out; undefined: as everywhere. */
  readonly resize: number | undefined;
  readonly crops: CropRecipe | undefined;
  /** Deviations and differences, for the notes of the record; none without a protocol. */
  readonly notes: readonly string[];
  /** For the record. */
  readonly hyper: { readonly settings: string };
}

/** What a record says of settings that are not quite the paper's. */
export const DEVIATING: string = `${PAPER_SETTINGS}, with the deviations of the notes`;

/** Images that the paper's evaluations learn from; of the fine-grained sets train and validation together. */
const PAPER_TRAIN: Readonly<Record<string, number>> = {
  'imagenet-1k': 1_281_167,
  'food-101': 75_750,
  'cifar-10': 50_000,
  'cifar-100': 50_000,
  sun397: 19_850,
  'stanford-cars': 8_144,
  'fgvc-aircraft': 6_667,
  dtd: 3_760,
  'oxford-pets': 3_680,
  'caltech-101': 3_060,
  'oxford-flowers-102': 2_040,
  'cub-200-2011': 5_994,
  'voc-2012': 10_582,
  ade20k: 20_210,
};

/** The same with one deviation more, which shows only once data or model are known. */
export function deviating<Values>(followed: Followed<Values>, task: string, what: string): Followed<Values> {
  const told = `not the paper's: ${what}`;
  console.log(told);
  return { ...followed, notes: [`${task}: ${told}`, ...followed.notes], hyper: { settings: DEVIATING } };
}

/** The same once the training part is known: another set, or another number of images, is told too. `length`: of all that is learnt from. */
export function learntFrom<Values>(
  followed: Followed<Values>,
  task: string,
  { dataset, length }: { readonly dataset: string; readonly length: number },
): Followed<Values> {
  if (followed.hyper.settings === 'own') return followed;
  const wanted = Object.hasOwn(PAPER_TRAIN, dataset) ? PAPER_TRAIN[dataset] : undefined;
  if (wanted === length) return followed;
  if (wanted !== undefined) return deviating(followed, task, `${length} images of train in place of ${wanted}`);
  const told = `learnt from ${dataset}, which is none of the paper's data sets`;
  console.log(told);
  return { ...followed, notes: [`${task}: ${told}`, ...followed.notes] };
}

/** Settings of a probe once it is scored on other sets than that of its training, as the paper does with one trained on ImageNet-1k alone. */
export const atOtherSets = (hyper: Outcome['hyper'], learntOn: string): Outcome['hyper'] =>
  hyper.settings === PAPER_SETTINGS && learntOn !== 'imagenet-1k' ? { ...hyper, settings: DEVIATING } : hyper;

/** The options that hold: those given, else those of the protocol, where it is asked for; it is shown on the screen. */
export function follow<Values extends object>({
  task,
  protocol,
  paper,
  given,
  input,
}: Asked<Values>): Followed<Values> {
  const resize = 'resize' in given && typeof given.resize === 'number' ? given.resize : undefined;
  if (!protocol) return { values: given, look: {}, resize, crops: undefined, notes: [], hyper: { settings: 'own' } };
  const names = Object.keys(paper.values) as (keyof Values & string)[];
  const changed = names.filter((name) => given[name] !== undefined && `${given[name]}` !== `${paper.values[name]}`);
  const kept = names.filter((name) => !changed.includes(name));
  const wanted = paper.resize && Math.round((input.size * paper.resize) / paper.size);
  const deviations = [
    ...besides(given, names).map((name) => `${flagOf(name)} is given`),
    ...changed.map((name) => `${written(name, given[name])} in place of ${inWords(paper.values[name])}`),
    ...sizeDeviation(paper.size, input),
    ...(resize !== undefined && resize !== wanted ? [`--resize ${resize} in place of ${wanted}`] : []),
  ];
  const values: Partial<Values> = { ...given };
  for (const name of kept) values[name] = paper.values[name];
  const { look = {}, crops } = paper;
  const lines = [
    wanted === undefined
      ? `input of ${input.size} x ${input.size}, ${look.filter ?? 'bicubic'}`
      : `shorter side ${resize ?? wanted} bicubic, centre ${input.size} x ${input.size}`,
    ...(crops ? [`${crops.name} crops of ${crops.scale.join(' to ')} of the area`] : []),
    ...kept.map((name) => written(name, paper.values[name])),
  ];
  console.log(`${task} by the paper's protocol: ${lines.join('; ')}`);
  for (const deviation of deviations) console.log(`not the paper's: ${deviation}`);
  return {
    values,
    look,
    resize: resize ?? wanted,
    crops,
    notes: [...deviations.map((deviation) => `not the paper's: ${deviation}`), ...paper.differs].map(
      (note) => `${task}: ${note}`,
    ),
    hyper: { settings: deviations.length > 0 ? DEVIATING : PAPER_SETTINGS },
  };
}

/** Options that change the number and are no part of a protocol, with what the paper's evaluations have of them. */
const BESIDES: Readonly<Record<string, unknown>> = {
  images: undefined,
  trainList: 'trainaug',
  trainShare: undefined,
  trainNames: undefined,
  shots: undefined,
  maskValues: undefined,
  void: undefined,
  classes: undefined,
  absent: 'zero',
  unscored: 'zero',
};

/** Those that are given, are no part of this protocol, and are not the paper's. */
const besides = (given: object, own: readonly string[]): string[] =>
  Object.entries(given).flatMap(([name, value]) =>
    value !== undefined && Object.hasOwn(BESIDES, name) && !own.includes(name) && value !== BESIDES[name] ? [name] : [],
  );

const MANY = 15;

/** A value as one writes it; of a long list its ends. */
const inWords = (value: unknown): string => {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) && value.length > MANY
    ? `(${value.length} values from ${value[0]} to ${value.at(-1)})`
    : `${value}`;
};

/** An option with its value, or the switch that it is. */
const written = (name: string, value: unknown): string => {
  if (typeof value !== 'boolean') return `${flagOf(name)} ${inWords(value)}`;
  return value ? flagOf(name) : flagOf(`no-${name}`);
};

/** An option as one writes it: `--learning-rates` of `learningRates`. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function sizeDeviation(wanted: number, { size, patchSize }: Asked<unknown>['input']): string[] {
  const nearest = wholePatches(wanted, patchSize);
  if (size !== nearest) return [`--size ${size} in place of ${wanted}`];
  return nearest === wanted ? [] : [`input of ${nearest}, the whole patches of ${patchSize} nearest to ${wanted}`];
}
