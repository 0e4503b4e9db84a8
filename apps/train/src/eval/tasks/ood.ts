/**
 * Out-of-distribution detection: which images are of no class that a classifier knows. Foreign images are those of OpenOOD v1.5, or of
 * other data sets; where none is given, of two of every five classes: the rest is what the classifier knows.
 */
import { createHash } from 'node:crypto';
import { shuffledOrder } from '@franca/data';
import {
  chosenRows,
  type LabelledFeatures,
  type LinearClassifier,
  linearProbe,
  NEEDS_CLASSIFIER,
  NEEDS_TRAIN,
  OOD_SCORES,
  type OodScore,
  type Outcome,
  oodDetection,
  oodMeans,
  type ProbeInput,
  type StoredProbeFeatures,
} from '@franca/evals';
import type { ReportTable } from '@franca/viz';
import { Option } from 'commander';
import { TrainError } from '../../errors';
import { namedData, positiveInteger, someOf } from '../../options/option-values';
import type { EvalContext } from '../context';
import { oodCost } from '../estimate/costs/ood';
import { type GivenOptions, ofCls } from '../idle-options';
import { type ImagePart, type ImageRequest, labelledBatches } from '../image-part';
import { PROBE_BYTES, probeBatch } from '../linear-training';
import { heldRow, heldRows, rowsOf } from '../one-row';
import { knownSet, type OodData, type OodSets, type OpenSet, openOodSets } from '../ood-sets';
import {
  DEVIATING,
  type Followed,
  follow,
  type OodValues,
  PAPER_OOD,
  type ProtocolOptions,
  protocolOption,
} from '../paper-protocol';
import { classIdsOf } from '../probe-classes';
import type { SavedProbe } from '../probe-file';
import { progressFor } from '../progress-file';
import type { EvalTask } from '../task';
import { loadProbe } from '../use-probe';

interface Options extends ProtocolOptions, OodData, Partial<OodValues> {
  readonly data?: string;
  readonly probe?: string;
  readonly scores?: readonly OodScore[];
  readonly neighbour?: number;
  readonly resize?: number;
}

export const task: EvalTask = {
  name: 'ood',
  about: 'out-of-distribution detection by eight scores (paper Fig. 8)',
  reads: 'labelled',
  order: 5,
  inputSize: ({ protocol }) => (protocol === 'paper' ? PAPER_OOD.size : undefined),
  withoutData: ({ probe, openood }) => (probe === undefined ? undefined : (openood as string | undefined)),
  idle: (given) => ({
    ...(readsCls(given) && ofCls(given)),
    neighbour: Array.isArray(given.scores) && !given.scores.includes('knn') && 'without knn among --scores',
    // a share that is held out of data without parts is not learnt from
    split:
      given.openood !== undefined &&
      (given.split !== 'held-out' || given.data === undefined) &&
      'beside --openood, whose list of known images is tested on',
  }),
  cost: oodCost,
  options: (command) =>
    command
      .addOption(protocolOption('224 px of 256, a classifier on CLS and patch mean, as behind Fig. 8'))
      .option(
        '--openood <folder>',
        "OpenOOD v1.5: its five foreign sets, and its list of ImageNet's 45,000 known images",
      )
      .option(
        '--outside <name=data>',
        'foreign images, all of them; may be repeated (default: two of every five classes)',
        namedData,
      )
      .option('--probe <file>', 'the classifier, as eval linear --save-probe writes it (default: one is trained)')
      .addOption(
        new Option(
          '--head <input>',
          'what the trained classifier reads (default: cls; with --openood or --protocol paper cls+mean)',
        ).choices(['cls', 'cls+mean']),
      )
      .option('--scores <list>', `some of ${OOD_SCORES.join(', ')} (default: all)`, someOf(OOD_SCORES))
      .option('--neighbour <k>', 'of the k-NN score (default: 50)', positiveInteger),
  async run(context, options: Options) {
    checkOptions(options);
    const plan = await planOod(context, options);
    const sets = await openOodSets(options);
    const read = await readParts(context, sets, plan);
    const compared = await (read.foreign.size > 0 ? featuresOf(read) : splitClasses(read));
    const { train, inside, foreign } = compared;
    const classifier = plan.saved?.probe.classifier ?? (await trained(context, read, compared));
    const { outcomes } = await oodDetection(
      { classifier, ...(train && { train: labelledBatches(train) }) },
      { inside, outside: foreign },
      {
        backend: context.backend,
        k: options.neighbour ?? Math.min(50, train?.labels.length ?? 50),
        scores: plan.scores,
      },
    );
    const settled = outcomes.map((outcome) => settledOutcome(outcome, plan));
    const means = oodMeans(settled, sets.groups);
    for (const { variant, value } of means.filter(({ hyper }) => hyper.score === 'msp'))
      console.log(`${variant}: AUROC ${(100 * value).toFixed(1)} %`);
    return {
      records: recordsOf(context, read, plan, [...settled, ...means]),
      section: sectionOf(plan, settled, means),
    };
  },
};

/** Whether all that is read of an image is its CLS token; what a loaded classifier reads stands in its file. */
const readsCls = ({ probe, head, openood, protocol }: GivenOptions): boolean =>
  probe === undefined && (head ?? (openood === undefined && protocol === undefined ? 'cls' : 'cls+mean')) === 'cls';

/** What is settled before features are computed. */
interface Plan {
  readonly followed: Followed<Partial<OodValues>>;
  readonly saved: SavedProbe | undefined;
  readonly input: ProbeInput;
  readonly request: ImageRequest;
  readonly scores: readonly OodScore[];
  readonly notes: readonly string[];
}

/** @throws TrainError `usage` for options that exclude each other */
function checkOptions({ protocol, openood, outside, probe, head }: Options): void {
  const isForeign = openood !== undefined || outside !== undefined;
  if (probe !== undefined && head !== undefined)
    throw new TrainError('usage', `${probe} reads what it was trained on; leave out --head, or --probe`);
  if (isForeign) return;
  if (probe !== undefined || protocol)
    throw new TrainError(
      'usage',
      `${probe === undefined ? '--protocol paper compares' : `${probe} knows all classes, so compare`} with foreign sets: give --openood or --outside`,
    );
}

async function planOod(context: EvalContext, options: Options): Promise<Plan> {
  const { protocol, openood, probe, resize } = options;
  const saved = probe === undefined ? undefined : await loadProbe(context, probe, resize);
  const given = { ...options, ...(saved && { head: nameOf(saved.probe.input), resize: saved.resize }) };
  const followed = follow<Partial<OodValues>>({
    task: 'ood',
    protocol,
    paper: PAPER_OOD,
    given,
    input: context.input(),
  });
  const head = followed.values.head ?? (openood === undefined ? 'cls' : 'cls+mean');
  const input = saved?.probe.input ?? { blocks: 1, avgpool: head === 'cls+mean' };
  const plain = protocol !== undefined && !saved;
  const own = plain
    ? [
        'ood: the classifier is trained here on images as they are, the reference takes one that saw random crops (--probe)',
      ]
    : [];
  return {
    followed: plain ? { ...followed, hyper: { settings: DEVIATING } } : followed,
    saved,
    input,
    request: { blocks: input.blocks, patchMean: input.avgpool, resize: followed.resize },
    scores: scoresOf(options),
    notes: [...followed.notes, ...own, ...(saved ? saved.origin.notes : [])],
  };
}

/** All that were asked for, or all that there can be: without data nothing can be built from train features. @throws TrainError `usage` */
function scoresOf({ scores, probe, openood, data }: Options): readonly OodScore[] {
  if (probe === undefined || openood === undefined || data !== undefined) return scores ?? OOD_SCORES;
  const built = (scores ?? OOD_SCORES).filter((score) => NEEDS_TRAIN.includes(score));
  const how = 'built from train features; give the data that the probe was trained on by --data';
  if (scores && built.length > 0) throw new TrainError('usage', `${built.join(', ')}: ${how}, or take other --scores`);
  if (!scores) console.log(`without ${built.join(', ')}, which are ${how}`);
  return scores ?? OOD_SCORES.filter((score) => !built.includes(score));
}

const nameOf = ({ blocks, avgpool }: ProbeInput): OodValues['head'] =>
  `${blocks === 1 ? 'cls' : `cls of ${blocks} blocks`}${avgpool ? '+mean' : ''}` as OodValues['head'];

interface ReadParts {
  /** Only where it is needed: to train, or for scores that are built from it. */
  readonly train: ImagePart | undefined;
  readonly test: ImagePart;
  readonly foreign: ReadonlyMap<string, ImagePart>;
}

async function readParts(context: EvalContext, sets: OodSets, { saved, request, scores }: Plan): Promise<ReadParts> {
  const isNeeded = !saved || scores.some((score) => NEEDS_TRAIN.includes(score));
  const whole = isNeeded ? await context.labelled('train', request) : undefined;
  const learnt = whole?.set;
  const classes = saved?.classes ?? classIdsOf(learnt!);
  const inside = sets.inside ?? (saved ? await context.tested() : undefined);
  // classes that a classifier does not have are refused before anything is computed
  const known = inside && knownSet(inside, classes);
  const renumbered = learnt && saved && knownSet(learnt, classes);
  const part = (set: OpenSet): ImagePart => context.of(set, request);
  const train = renumbered ? part(renumbered) : whole;
  const test = known ? part(known) : await context.labelled('test', request);
  const foreign = new Map<string, ImagePart>();
  for (const [name, set] of sets.outside) foreign.set(name, part(set));
  return { train, test, foreign };
}

/** What is compared, each image as one row: train on disk, the others in memory. */
interface Compared {
  readonly train: StoredProbeFeatures | undefined;
  readonly inside: LabelledFeatures;
  readonly foreign: Readonly<Record<string, LabelledFeatures>>;
}

async function featuresOf({ train, test, foreign }: ReadParts): Promise<Compared> {
  const inside = await heldRows(test);
  const others: [string, LabelledFeatures][] = [];
  for (const [name, part] of foreign) others.push([name, await heldRows(part)]);
  return { train: train && (await rowsOf(train)), inside, foreign: Object.fromEntries(others) };
}

async function trained(
  context: EvalContext,
  { train: part, test }: ReadParts,
  { train, inside: { dim, cls, labels } }: Compared,
): Promise<LinearClassifier> {
  const inside = { dim, blocks: [cls], labels };
  const settings = { blocks: [1], batchSize: probeBatch(train!.labels.length) };
  // labels and their number tell known classes from all
  const known = createHash('sha256').update(train!.labels).digest('hex');
  const progress = await progressFor(context, 'ood', {
    parts: [part!, test],
    options: { ...settings, shape: part!.shape, known },
  });
  const { probe } = await linearProbe(train!, inside, {
    ...settings,
    memory: PROBE_BYTES,
    backend: context.backend,
    progress,
  });
  return probe.classifier;
}

/** With what a number rests on besides its score: the classifier, and what that was chosen on. */
function settledOutcome(outcome: Outcome, { followed, input, saved }: Plan): Outcome {
  const head = nameOf(input);
  const score = outcome.hyper.score as OodScore;
  const { selectedOn, seeds } = saved?.origin ?? { selectedOn: 'train-holdout' as const, seeds: [0] };
  return {
    ...outcome,
    hyper: {
      ...outcome.hyper,
      ...followed.hyper,
      head,
      classifier: saved ? `loaded, trained on ${saved.origin.dataset} ${saved.origin.split}` : 'trained here',
      ...(NEEDS_TRAIN.includes(score) && { trainFeatures: `${head}, as the classifier reads` }),
    },
    ...(NEEDS_CLASSIFIER.includes(score) && { selectedOn, seeds }),
  };
}

function recordsOf(
  context: EvalContext,
  { train, test, foreign }: ReadParts,
  plan: Plan,
  outcomes: readonly Outcome[],
) {
  const others = [...(train ? [train] : []), ...foreign.values()];
  // classes that are left out are of the tested part itself
  const total = ({ hyper: { outside }, evaluated }: Outcome): number =>
    foreign.size === 0
      ? evaluated
      : [outside].flat().reduce<number>((sum, name) => sum + foreign.get(`${name}`)!.set.total, test.set.total);
  const noted = { ...test, set: { ...test.set, notes: [...test.set.notes, ...plan.notes] } };
  return context.records(noted, outcomes, total, others);
}

function sectionOf({ input, saved }: Plan, outcomes: readonly Outcome[], means: readonly Outcome[]) {
  const head = nameOf(input);
  const rows = (of: readonly Outcome[]): ReportTable['rows'] =>
    of.map(({ variant, value, others, evaluated, hyper }) => [
      variant,
      `${hyper.inside} + ${evaluated - Number(hyper.inside)}`,
      100 * value,
      100 * others['FPR95 (foreign as positive)']!,
      100 * others['AUPR-in']!,
      100 * others['AUPR-out']!,
    ]);
  const columns = ['score', 'known + foreign', 'AUROC %', 'FPR95 %', 'AUPR-in %', 'AUPR-out %'];
  return {
    text:
      `Foreign images count as positive. Logit scores are those of a ${saved ? 'loaded' : 'trained'} linear classifier on ${head}, the others ` +
      "are on the same features. The paper's Fig. 8 names no score; msp is that of OpenOOD's script for such models.",
    tables: [
      ...(means.length > 0 ? [{ caption: 'Means over sets', columns, rows: rows(means) }] : []),
      { ...(means.length > 0 && { caption: 'Single sets' }), columns, rows: rows(outcomes) },
    ],
  };
}

/** Known classes with new numbers, and the images of the others as a foreign set. */
async function splitClasses({ train: learnt, test }: ReadParts): Promise<Compared> {
  const train = await rowsOf(learnt!);
  const present = [...new Set(train.labels)].sort((a, b) => a - b);
  const classes = present.length;
  if (classes < 4)
    throw new TrainError('data', `${classes} classes are too few to leave some out; name foreign data with --outside`);
  const order = shuffledOrder(classes, 0, 0);
  const known = Array.from({ length: Math.ceil(classes * 0.6) }, (_, i) => present[order(i)]!).sort((a, b) => a - b);
  const numbers = new Map(known.map((label, number) => [label, number]));
  const heldOut = `${classes - known.length} held-out classes`;
  const tested = await rowsOf(test);
  return {
    train: withNumbers(train, numbers),
    inside: await heldRow(withNumbers(tested, numbers)),
    foreign: {
      [heldOut]: await heldRow(
        chosenRows(
          tested,
          rowsWhere(tested, (label) => !numbers.has(label)),
        ),
      ),
    },
  };
}

/** The rows of known classes, with these numbers. */
function withNumbers(features: StoredProbeFeatures, numbers: ReadonlyMap<number, number>): StoredProbeFeatures {
  const chosen = chosenRows(
    features,
    rowsWhere(features, (label) => numbers.has(label)),
  );
  return { ...chosen, labels: chosen.labels.map((label) => numbers.get(label)!) };
}

function rowsWhere({ labels }: StoredProbeFeatures, isMeant: (label: number) => boolean): Int32Array {
  const rows = new Int32Array(labels.length);
  let count = 0;
  for (const [row, label] of labels.entries()) if (isMeant(label)) rows[count++] = row;
  return rows.subarray(0, count);
}
