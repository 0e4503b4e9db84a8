/** Estimates of evaluations: their costs as they say them, with rates that are measured on this machine and device as it is now. */
import type { FloatsOnDisk } from '@franca/evals/node';
import type { VitConfig } from '@franca/vit';
import { imagesPerShard, type ShardRequest } from '../../features/shard-files';
import { bytesOfImage, outputShape, outputsOf } from '../../features/stored-outputs';
import { describePreparation } from '../../image-sets/preparation';
import { measureReading } from './measure-reading';
import { type MeasuredWork, measureWork } from './measure-work';
import type { CostQuestion, FeatureReading, HeldBytes, TaskCost } from './task-cost';
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

/** Estimates what has a cost, one after the other: features that several evaluations read are counted for the first of them. */
export function openEstimator(
  question: CostQuestion,
): (name: string, cost: Promise<TaskCost>) => Promise<TaskEstimate> {
  const known = new Map<string, ReadingEstimate>();
  const rates = openRates(question);
  return async (task, cost) => {
    const { reads, work, held, unknown = [] } = await cost;
    const ownReads: ReadingEstimate[] = [];
    for (const reading of reads) {
      const key = keyOf(reading);
      const before = known.get(key);
      const estimate = before ? fromBefore(before) : await readingEstimate(question, reading, rates);
      known.set(key, estimate);
      ownReads.push(estimate);
    }
    const memory = expectedMemory(question, reads, held);
    const measured: MeasuredWork[] = [];
    for (const each of work) measured.push(await measureWork(each));
    const time = [...ownReads, ...measured].reduce((sum, part) => addTimes(sum, part.time), NO_TIME);
    return { task, reads: ownReads, work: measured, time, memory, device: held.device, unknown };
  };
}

/** What this process takes with the model and its activations, now that images went through it, and what comes on top. */
function expectedMemory(question: CostQuestion, reads: readonly FeatureReading[], held: HeldBytes): number {
  const isCpu = question.session.gpu.target.family === 'cpu';
  const shard = Math.max(0, ...reads.map((reading) => shardBytes(question, reading)));
  // a shard is computed before the evaluation begins
  return process.memoryUsage.rss() + Math.max(held.host + (isCpu ? held.device : 0), 2 * shard);
}

/** What was counted once is in the cache then. */
const fromBefore = (estimate: ReadingEstimate): ReadingEstimate => ({
  ...estimate,
  inCache: estimate.images,
  computed: 0,
  time: NO_TIME,
  bytes: 0,
});

const keyOf = ({ set, request: { preparation, ...outputs }, fresh }: FeatureReading): string =>
  JSON.stringify([set.dataset, set.split, set.length, describePreparation(preparation), outputs, fresh]);

async function readingEstimate(
  question: CostQuestion,
  reading: FeatureReading,
  rates: Rates,
): Promise<ReadingEstimate> {
  const { session } = question;
  const { set, request, fresh } = reading;
  const inCache = fresh === undefined ? (await session.held(set, request)).images : 0;
  const computed = fresh ?? set.length - inCache;
  const each = computed > 0 ? await rates(reading) : NO_TIME;
  return {
    dataset: set.dataset,
    split: set.split,
    preprocessing: describePreparation(request.preparation),
    images: set.length,
    inCache,
    computed,
    each,
    time: timesOf(each, computed),
    bytes: fresh === undefined ? computed * imageBytes(session, request) : 0,
  };
}

/** The time of one image; parts of one data set that are read alike share it. */
type Rates = (reading: FeatureReading) => Promise<TimeTaken>;

function openRates({ session }: CostQuestion): Rates {
  const known = new Map<string, Promise<TimeTaken>>();
  return (reading) => {
    const { dataset } = reading.set;
    const key = JSON.stringify([dataset, describePreparation(reading.request.preparation), reading.request.levels]);
    const rate = known.get(key) ?? measureReading(session, reading);
    known.set(key, rate);
    return rate;
  };
}

/** On disk, of the features of one image. */
export const imageBytes = (
  {
    model,
    extraction,
  }: { readonly model: { readonly config: VitConfig }; readonly extraction: { readonly floats: FloatsOnDisk } },
  request: ShardRequest,
): number =>
  outputsOf(model.config, request)
    .map((output) => bytesOfImage(outputShape(output, model.config, request.preparation), extraction.floats))
    .reduce((sum, bytes) => sum + bytes, 0);

/** What a shard takes while it is computed. */
function shardBytes({ session }: CostQuestion, { set, request, fresh }: FeatureReading): number {
  const images = Math.min(set.length, imagesPerShard(session.extraction, request));
  return fresh === undefined ? images * imageBytes(session, request) : 0;
}
