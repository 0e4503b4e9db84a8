/** Estimates of evaluations: their costs as they say them, with rates that are measured on this machine and device as it is now. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describePreparation, inputSides } from '../../image-sets/preparation';
import type { EvalTask } from '../task';
import { heldInCache } from './held-in-cache';
import { measureReading } from './measure-reading';
import { type MeasuredWork, measureWork } from './measure-work';
import type { CostQuestion, FeatureReading } from './task-cost';
import { addTimes, NO_TIME, type TimeTaken, timesOf } from './time-taken';

/** One part of the data, and what it takes to have its features. */
export interface ReadingEstimate {
  readonly dataset: string;
  readonly split: string;
  readonly preprocessing: string;
  readonly images: number;
  readonly inCache: number;
  /** Images that go through the model. */
  readonly computed: number;
  /** Of one image, and of all that are computed. */
  readonly each: TimeTaken;
  readonly time: TimeTaken;
  /** On disk, of what the cache does not have. */
  readonly bytes: number;
}

export interface TaskEstimate {
  readonly task: string;
  readonly reads: readonly ReadingEstimate[];
  readonly work: readonly MeasuredWork[];
  readonly time: TimeTaken;
  /** Resident memory of this process at its most, about. */
  readonly memory: number;
  /** Of it, on the device alone; on a software adapter it is part of `memory`. */
  readonly device: number;
  readonly unknown: readonly string[];
}

/** Those that say what they cost, one after the other; features that several read are counted for the first of them. */
export async function* estimates(
  question: CostQuestion,
  tasks: readonly EvalTask[],
  options: Readonly<Record<string, unknown>>,
): AsyncGenerator<TaskEstimate> {
  const known = new Map<string, ReadingEstimate>();
  for (const task of tasks) {
    if (!task.cost) continue;
    const { reads, work, held, unknown = [] } = await task.cost(question, options);
    const ownReads: ReadingEstimate[] = [];
    for (const reading of reads) {
      const key = keyOf(reading);
      const before = known.get(key);
      const estimate = before ? fromBefore(before) : await readingEstimate(question, reading);
      known.set(key, estimate);
      ownReads.push(estimate);
    }
    const measured: MeasuredWork[] = [];
    for (const each of work) measured.push(await measureWork(each));
    const time = [...ownReads, ...measured].reduce((sum, part) => addTimes(sum, part.time), NO_TIME);
    const isCpu = question.session.gpu.target.family === 'cpu';
    const shard = Math.max(0, ...reads.map((reading) => shardBytes(question, reading)));
    const own = held.host + (isCpu ? held.device : 0);
    yield {
      task: task.name,
      reads: ownReads,
      work: measured,
      time,
      memory: modelMemory() + Math.max(own, 2 * shard),
      device: held.device,
      unknown,
    };
  }
}

/** What was counted once is in the cache then. */
const fromBefore = (estimate: ReadingEstimate): ReadingEstimate => ({
  ...estimate,
  inCache: estimate.images,
  computed: 0,
  time: NO_TIME,
  bytes: 0,
});

const keyOf = ({ set, options: { preparation, blocks, patches, levels }, fresh }: FeatureReading): string =>
  JSON.stringify([
    set.dataset,
    set.split,
    set.length,
    describePreparation(preparation),
    blocks,
    patches,
    levels,
    fresh,
  ]);

async function readingEstimate({ session }: CostQuestion, reading: FeatureReading): Promise<ReadingEstimate> {
  const { set, options, fresh } = reading;
  const inCache = fresh === undefined ? await heldInCache(session, reading) : 0;
  const computed = fresh ?? set.length - inCache;
  const each = computed > 0 ? await measureReading(session, reading) : NO_TIME;
  return {
    dataset: set.dataset,
    split: set.split,
    preprocessing: describePreparation(options.preparation),
    images: set.length,
    inCache,
    computed,
    each,
    time: timesOf(each, computed),
    bytes: fresh === undefined ? computed * imageBytes(session.model.config, options) : 0,
  };
}

/** Of the features of one image as they are kept. */
export function imageBytes(
  { embedDim, patchSize }: { readonly embedDim: number; readonly patchSize: number },
  { preparation, blocks = 1, patches = false, levels }: FeatureReading['options'],
): number {
  const [height, width] = inputSides(preparation);
  const cells = (height / patchSize) * (width / patchSize);
  const tokens = blocks + 1 + (patches ? cells : 0) + (levels?.blocks.length ?? 0) * (1 + cells);
  return 4 * embedDim * tokens;
}

const SHARD_BYTES = 256 * 2 ** 20;

const shardBytes = ({ session }: CostQuestion, { set, options, fresh }: FeatureReading): number =>
  fresh === undefined ? Math.min(SHARD_BYTES, set.length * imageBytes(session.model.config, options)) : 0;

/** What this process takes with the model and its activations, now that images went through it. */
const modelMemory = (): number => process.memoryUsage.rss();

/** Bytes that are free where features are kept; of the first folder above that is there. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch {
      if (dirname(at) === at) return undefined;
    }
  }
}
