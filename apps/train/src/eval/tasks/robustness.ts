/**
 * One linear probe on several test sets: trained on ImageNet-1k, or loaded, then scored on its validation part, with ReaL's labels, and on
 * V2, A, R and Sketch, for which it has not been chosen.
 */
import type { EvalRecord, ProbeScore } from '@franca/evals';
import type { ReportTable } from '@franca/viz';
import { TrainError } from '../../errors';
import { namedData } from '../../options/option-values';
import type { EvalContext } from '../context';
import { robustnessCost } from '../estimate/costs/robustness';
import type { ImagePart } from '../image-part';
import { PAPER_LINEAR } from '../paper-protocol';
import { classIdsOf, mapClasses, type ScoreOptions, scoreAccepted, scoreSet } from '../probe-classes';
import { readProbe } from '../probe-file';
import { acceptedClasses } from '../real-labels';
import { findSets, howToScore, missingSets, REAL } from '../robustness-sets';
import type { EvalTask } from '../task';
import { PROBE_BLOCKS } from '../train-probe';
import {
  checkProbeOptions,
  otherOutcome,
  type UsedProbe,
  type UseProbeOptions,
  useProbe,
  withProbe,
} from '../use-probe';
import { gridSection } from './linear';

interface Options extends UseProbeOptions {
  readonly data?: string;
  readonly sets?: string;
  readonly set?: Readonly<Record<string, string>>;
}

export const task: EvalTask = {
  name: 'robustness',
  about: 'one linear probe on ImageNet, ReaL, V2, A, R and Sketch (paper Table 2)',
  reads: 'labelled',
  blocks: PROBE_BLOCKS,
  alone: true,
  inputSize: ({ protocol }) => (protocol === 'paper' ? PAPER_LINEAR.size : undefined),
  cost: robustnessCost,
  options: (command) =>
    withProbe(command)
      .option('--sets <folder>', 'where the other test sets lie (default: the folder that --data lies in)')
      .option(
        '--set <name=data>',
        'one of them, such as imagenet-a=<folder> or imagenet-real=<real.json>; may be repeated',
        namedData,
      ),
  async run(context, options: Options) {
    checkProbeOptions(options);
    const sets = await openSets(context, options);
    const used = await useProbe('robustness', context, options);
    const records = context.records(used.test, [used.outcome], undefined, used.others);
    for (const { part, score, among } of sets) {
      const read = part(used);
      const began = performance.now();
      const found = await score(used, read);
      const candidates = among === 'own' ? read.set.classes.length : used.classes.length;
      const wallMs = performance.now() - began;
      const outcome = otherOutcome(used.origin, found, { total: read.set.total, candidates, wallMs });
      records.push(...context.records(withNotes(read, used), [outcome], undefined, used.others));
    }
    const { text, tables = [] } = used.grid ? gridSection(used.grid) : {};
    return {
      records,
      section: {
        text: ['One probe on all sets.', ...(text ? [`Below: ${text}`] : [])].join(' '),
        tables: [setTable(records, used.classes.length), ...tables],
      },
    };
  },
};

/** A test set besides that of the data. */
interface OtherSet extends Pick<ScoreOptions, 'among'> {
  /** Its images, with what the probe reads of them. */
  part(used: UsedProbe): ImagePart;
  score(used: UsedProbe, part: ImagePart): Promise<ProbeScore>;
}

/** Opens all sets; refuses those whose classes the probe does not have, before anything is computed. */
async function openSets(context: EvalContext, options: Options): Promise<OtherSet[]> {
  const found = await findSets(options);
  for (const [name, path] of found) console.log(`${name}: ${path}`);
  for (const name of missingSets(found)) console.log(`${name}: not found`);
  if (found.size === 0)
    throw new TrainError(
      'usage',
      `no other test set lies ${options.sets ? `in ${options.sets}` : 'beside --data'}; give the folder that they lie in by --sets, or one ` +
        'by --set name=data',
    );
  const classes = options.probe
    ? (await readProbe(options.probe, context.model())).classes
    : classIdsOf((await context.labelled('train')).set);
  const { backend } = context;
  const sets: OtherSet[] = [];
  for (const [name, path] of found) {
    if (name === REAL) {
      const { set } = options.probe ? { set: await context.tested() } : await context.labelled('test');
      const accepted = await acceptedClasses(path, set, classes);
      sets.push({
        among: 'all',
        part: ({ test }) => ({ ...test, set: { ...test.set, dataset: REAL } }),
        score: (used, part) => scoreAccepted(used, part, { backend, accepted }),
      });
      continue;
    }
    const set = await context.testSet(path, name);
    if (set.benchmark && set.benchmark.name !== name)
      throw new TrainError(
        'usage',
        `${path} is ${set.benchmark.title}, not ${name}; give it by its own name, ${set.benchmark.name}`,
      );
    const how = howToScore(name);
    mapClasses(classes, set, how.naming);
    sets.push({
      ...how,
      part: ({ request }) => context.of(set, request),
      score: (used, part) => scoreSet(used, part, { backend, ...how }),
    });
  }
  return sets;
}

/** What is to be known of the probe stands with each set. */
const withNotes = (part: ImagePart, { origin }: UsedProbe): ImagePart => ({
  ...part,
  set: { ...part.set, notes: [...new Set([...part.set.notes, ...origin.notes])] },
});

/** `classes`: how many the probe tells apart. */
const setTable = (records: readonly EvalRecord[], classes: number): ReportTable => ({
  columns: ['set', 'images', 'of', 'among', 'top-1 %', 'top-5 %'],
  rows: records.map(({ dataset, split, evaluated, total, value, others, hyper }) => [
    `${dataset} ${split}`,
    evaluated,
    total,
    `${hyper.candidates ?? classes} classes`,
    100 * value,
    100 * others['top-5']!,
  ]),
});
