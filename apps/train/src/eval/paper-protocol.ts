/**
 * `--protocol paper`: what each dense evaluation of the paper's Table 4 sets, in one place.
 *
 * The values are those of the programs behind the paper: NeCo's evaluation (linear segmentation, overclustering) and
 * open-hummingbird-eval (in-context). What one gives beside it wins and is told as a deviation; what the programs do that is not done
 * here stands in `differs`.
 */
import { PAPER_SETTINGS } from '@franca/evals';
import { Option } from 'commander';
import type { CropRecipe } from '../image-sets/crops';
import { type DenseLook, wholePatches } from '../image-sets/preparation';
import type { Selection } from './linear-training';

/** What a task does under the protocol. */
export interface PaperProtocol<Values> {
  /** Side of the input in pixels; the nearest whole patches are taken. */
  readonly size: number;
  /** Options of the task. */
  readonly values: Values;
  readonly look: DenseLook;
  /** Crops of train images, drawn anew for each pass. */
  readonly crops?: CropRecipe;
  /** In which the reference differs from what is done, or what is unknown of it. */
  readonly differs: readonly string[];
}

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
  readonly crops: CropRecipe | undefined;
  /** Deviations and differences, for the notes of the record; none without a protocol. */
  readonly notes: readonly string[];
  /** For the record. */
  readonly hyper: { readonly settings: string };
}

/** What a record says of settings that are not quite the paper's. */
export const DEVIATING: string = `${PAPER_SETTINGS}, with the deviations of the notes`;

/** Images that the paper's evaluations learn from. */
const PAPER_TRAIN: Readonly<Record<string, number>> = { 'voc-2012': 10_582, ade20k: 20_210 };

/** The same once the training part is known: another number of images than the paper's is a deviation too. */
export function learntFrom<Values>(
  followed: Followed<Values>,
  task: string,
  { dataset, length }: { readonly dataset: string; readonly length: number },
): Followed<Values> {
  const wanted = Object.hasOwn(PAPER_TRAIN, dataset) ? PAPER_TRAIN[dataset] : length;
  if (followed.hyper.settings === 'own' || wanted === length) return followed;
  const deviation = `not the paper's: ${length} images of train in place of ${wanted}`;
  console.log(deviation);
  return { ...followed, notes: [`${task}: ${deviation}`, ...followed.notes], hyper: { settings: DEVIATING } };
}

/** The options that hold: those given, else those of the protocol, where it is asked for; it is shown on the screen. */
export function follow<Values extends object>({
  task,
  protocol,
  paper,
  given,
  input,
}: Asked<Values>): Followed<Values> {
  if (!protocol) return { values: given, look: {}, crops: undefined, notes: [], hyper: { settings: 'own' } };
  const names = Object.keys(paper.values) as (keyof Values & string)[];
  const changed = names.filter((name) => given[name] !== undefined && `${given[name]}` !== `${paper.values[name]}`);
  const kept = names.filter((name) => !changed.includes(name));
  const deviations = [
    ...besides(given).map((name) => `${flagOf(name)} is given`),
    ...changed.map((name) => `${flagOf(name)} ${given[name]} in place of ${paper.values[name]}`),
    ...sizeDeviation(paper.size, input),
  ];
  const values: Partial<Values> = { ...given };
  for (const name of kept) values[name] = paper.values[name];
  const lines = [
    `input of ${input.size} x ${input.size}, ${paper.look.filter ?? 'bicubic'}`,
    ...(paper.crops ? [`${paper.crops.name} crops of ${paper.crops.scale.join(' to ')} of the area`] : []),
    ...kept.map((name) => `${flagOf(name)} ${paper.values[name]}`),
  ];
  console.log(`${task} by the paper's protocol: ${lines.join('; ')}`);
  for (const deviation of deviations) console.log(`not the paper's: ${deviation}`);
  return {
    values,
    look: paper.look,
    crops: paper.crops,
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

/** Those that are given and are not the paper's. */
const besides = (given: object): string[] =>
  Object.entries(given).flatMap(([name, value]) =>
    value !== undefined && Object.hasOwn(BESIDES, name) && value !== BESIDES[name] ? [name] : [],
  );

/** An option as one writes it: `--learning-rates` of `learningRates`. */
const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function sizeDeviation(wanted: number, { size, patchSize }: Asked<unknown>['input']): string[] {
  const nearest = wholePatches(wanted, patchSize);
  if (size !== nearest) return [`--size ${size} in place of ${wanted}`];
  return nearest === wanted ? [] : [`input of ${nearest}, the whole patches of ${patchSize} nearest to ${wanted}`];
}
