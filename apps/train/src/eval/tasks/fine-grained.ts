/**
 * Logistic regression on the fine-grained data sets of Table 3, one after the other, and their average.
 *
 * Of each set: CLS tokens of its images; C chosen on its validation part, or on a tenth of train; both fitted with it, scored once on
 * its test part by the set's own metric. Records are written as they come.
 */
import {
  type EvalRecord,
  evalRecord,
  FINE_GRAINED,
  type Outcome,
  PAPER_SETTINGS,
  paperDifferences,
  paperResult,
  type SelectedOn,
} from '@franca/evals';
import type { ReportTable } from '@franca/viz';
import { TrainError } from '../../errors';
import { openBenchmarkSets } from '../../image-sets/benchmark-sets';
import { type ImageSet, requireLabels, type SetLimits } from '../../image-sets/image-set';
import { numberList, someOf } from '../../options/option-values';
import { duration } from '../../text/amounts';
import type { EvalContext } from '../context';
import { fineGrainedCost } from '../estimate/costs/fine-grained';
import { type FoundSets, findSets, KNOWN_SETS } from '../fine-grained-sets';
import { ofCls } from '../idle-options';
import type { ImagePart } from '../image-part';
import { follow, PAPER_LOGREG, type ProtocolOptions, protocolOption } from '../paper-protocol';
import { penaltyChart, type Regressed, type RegressionAsked, regress } from '../regression';
import { PAPER_MODELS, writeJson } from '../results';
import type { EvalTask } from '../task';

interface Options extends ProtocolOptions {
  readonly data?: string;
  readonly sets?: readonly string[];
  readonly c?: readonly number[];
  readonly images?: SetLimits;
  readonly json?: string;
}

const NAME = 'fine-grained';

export const task: EvalTask = {
  name: NAME,
  about: 'logistic regression on the eleven fine-grained sets, and their average (paper Table 3)',
  reads: 'published',
  alone: true,
  inputSize: ({ protocol }) => (protocol === 'paper' ? PAPER_LOGREG.size : undefined),
  idle: ofCls,
  cost: fineGrainedCost,
  options: (command) =>
    command
      .addOption(protocolOption('centre 224 of 224 px, 45 values of C, as behind Table 3'))
      .option('--sets <list>', `some of ${KNOWN_SETS.join(', ')} (default: all that are there)`, someOf(KNOWN_SETS))
      .option('-c, --c <list>', 'penalties (default: 45 powers of ten from 1e-6 to 1e5)', numberList),
  async run(context, options: Options) {
    const root = rootOf(options);
    const found = await findSets(root, options.sets);
    const lines = introduce(found);
    const { protocol } = options;
    const followed = follow({ task: NAME, protocol, paper: PAPER_LOGREG, given: options, input: context.input() });
    const asked: RegressionAsked = { task: NAME, followed };
    const done: Scored[] = [];
    const failed: string[] = [];
    for (const each of found.sets) {
      const { name, title } = each.layout.facts;
      const began = performance.now();
      try {
        const { parts, record, sweep } = await scored(context, each, asked, { limits: options.images, lines });
        done.push({ title, sizes: sizesOf(parts), record, sweep });
        console.log(`${name}: ${inShort(record)} after ${duration((performance.now() - began) / 1000)}`);
        if (options.json) await writeJson(options.json, recordsOf(done));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        failed.push(name);
        console.error(`${name} failed: ${error.message}`);
      }
    }
    const average = averageOf(done);
    if (average && !average.record) console.log(average.text);
    return {
      records: [...recordsOf(done), ...(average?.record ? [average.record] : [])],
      failed,
      section: {
        text: [...lines, ...(average ? [average.text] : [])].join('. '),
        tables: done.length > 0 ? [setTable(done)] : [],
        charts: done.filter(({ sweep }) => sweep.length > 1).map(({ title, sweep }) => penaltyChart(title, sweep)),
      },
    };
  },
};

interface Scored extends Regressed {
  readonly title: string;
  /** Images learnt from, in words. */
  readonly sizes: string;
}

const recordsOf = (done: readonly Scored[]): EvalRecord[] => done.map(({ record }) => record);

/** @throws TrainError `usage` */
function rootOf({ data }: Options): string {
  if (data === undefined) throw new TrainError('usage', 'give the folder that the data sets lie in by --data');
  return data;
}

/** What is there and what is missing, on the screen and for records. */
function introduce({ sets, missing, unasked, notes }: FoundSets): string[] {
  for (const { layout, folder } of sets) console.log(`${layout.facts.name}: ${folder}`);
  const lines = [
    ...(missing.length > 0 ? [`of the eleven ${missing.length} are not there: ${missing.join(', ')}`] : []),
    ...(unasked.length > 0 ? [`not asked for: ${unasked.join(', ')}`] : []),
    ...notes,
  ];
  for (const line of lines) console.log(line);
  return lines.map((line) => `${NAME}: ${line}`);
}

/** Opens one set, evaluates it, and closes it again. */
async function scored(
  context: EvalContext,
  found: FoundSets['sets'][number],
  asked: RegressionAsked,
  { limits = {}, lines }: { readonly limits?: SetLimits | undefined; readonly lines: readonly string[] },
) {
  const opened = await openBenchmarkSets(found, limits);
  try {
    const { train, validation, test } = opened.test.labels ? opened : requireLabels(opened);
    const part = (set: ImageSet): ImagePart =>
      context.of({ ...set, notes: [...set.notes, ...lines] }, { patchMean: false, resize: asked.followed.resize });
    const parts = {
      train: part(train),
      ...(validation && { validation: part(validation) }),
      test: part(test),
    };
    return { parts, ...(await regress(context, parts, asked)) };
  } finally {
    await opened.close();
  }
}

const sizesOf = ({ train, validation }: { readonly train: ImagePart; readonly validation?: ImagePart }): string =>
  [train, validation].flatMap((part) => (part ? [part.set.length] : [])).join(' + ');

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const cOf = ({ c }: EvalRecord['hyper']): string => `${Number(Number(c).toPrecision(3))}`;

const inShort = ({ value, metric, hyper }: EvalRecord): string => `${percent(value)} (${metric}), C ${cOf(hyper)}`;

/** The mean over several of the eleven; a record only of all of them. */
function averageOf(done: readonly Scored[]) {
  const records = recordsOf(done).filter(({ dataset }) => FINE_GRAINED.includes(dataset));
  if (records.length < 2) return undefined;
  const value = records.reduce((sum, record) => sum + record.value, 0) / records.length;
  const text = `average of ${records.length}: ${percent(value)}`;
  return { text, record: records.length === FINE_GRAINED.length ? averageRecord(records, value) : undefined };
}

function averageRecord(records: readonly EvalRecord[], value: number): EvalRecord {
  const [first] = records as [EvalRecord, ...EvalRecord[]];
  const sum = (of: (record: EvalRecord) => number): number => records.reduce((total, record) => total + of(record), 0);
  const settings = [...new Set(records.map(({ hyper }) => `${hyper.settings}`))];
  const outcome: Outcome = {
    task: first.task,
    protocol: first.protocol,
    variant: '',
    evaluated: sum(({ evaluated }) => evaluated),
    total: sum(({ total }) => total),
    metric: 'mean over sets',
    value,
    unit: 'share',
    others: {},
    perClass: [],
    hyper: {
      sets: Object.fromEntries(records.map(({ dataset, metric, value: own }) => [dataset, { metric, value: own }])),
      // one that deviates makes the mean another one
      settings: settings.find((each) => each !== PAPER_SETTINGS) ?? PAPER_SETTINGS,
    },
    selectedOn: weakest(records.map(({ selectedOn }) => selectedOn)),
    seeds: [...new Set(records.flatMap(({ seeds }) => seeds))],
    quirks: false,
    wallMs: sum(({ wallMs }) => wallMs),
  };
  const { features, preprocessing } = first;
  const notes = [
    ...records.flatMap((record) => record.notes ?? []),
    ...paperDifferences({ ...outcome, dataset: NAME }),
  ];
  return evalRecord({ dataset: NAME, split: 'test', features, preprocessing, notes: [...new Set(notes)] }, outcome);
}

/** What the choices of all sets were made on, at worst. */
const weakest = (choices: readonly SelectedOn[]): SelectedOn =>
  (['test', 'train-holdout', 'validation', 'nothing'] as const).find((each) => choices.includes(each))!;

function setTable(done: readonly Scored[]): ReportTable {
  const models = PAPER_MODELS.filter((model) => recordsOf(done).some((record) => paperResult(record, model)));
  return {
    columns: [
      'set',
      'learnt from',
      'test images',
      'C',
      'chosen on',
      'metric',
      '%',
      ...models.map((name) => `paper: ${name}`),
    ],
    rows: done.map(({ title, sizes, record }) => [
      title,
      sizes,
      record.evaluated,
      cOf(record.hyper),
      record.selectedOn,
      record.metric,
      100 * record.value,
      ...models.map((model) => paperResult(record, model)?.values.join(' / ')),
    ]),
  };
}
