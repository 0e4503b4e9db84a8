/**
 * Train as batches, wherever it lies: in memory, on disk, or made anew for each step. What fits in memory is held, and each pass over it is a shuffle of all its rows;
 * of more, pools of blocks are shuffled (`pooledBatches`); of a stream nothing is held.
 */
import { checkLabels } from '../features';
import type { Json } from '../outcome';
import { BLOCK_ROWS, pooledBatches, poolRows } from './pooled-batches';
import {
  checkProbeFeatures,
  isStored,
  type ProbeFeatures,
  type ProbeShape,
  probeRows,
  rangeOf,
  type StoredProbeFeatures,
  shapeOf,
} from './probe-features';
import { asStored, chosenRows, inMemory, rowWidth } from './stored-features';
import { type ProbeBatch, shuffledBatches } from './train-grid';

/** Train images that come anew for each step, such as random crops. */
export interface ProbeStream extends ProbeShape {
  /** How many images they are made of, and of how many classes. */
  readonly items: number;
  readonly classes: number;
  /** One batch per step, endlessly; `from`: what came with the batch after which to go on. */
  batches(from?: Json): AsyncIterable<StreamedBatch>;
}

/** A batch of a stream; `place`: what it needs to know to go on after it, where it can. */
export interface StreamedBatch extends ProbeFeatures {
  readonly place?: Json;
}

/** Where training goes on: after so many steps, at that place of a stream. */
export interface TrainPlace {
  readonly iteration: number;
  readonly place?: Json | undefined;
}

/** Train as it is learnt from. */
export interface TrainSource {
  readonly shape: ProbeShape;
  readonly items: number;
  /** Classes that it is known to have. */
  readonly known: number;
  /** In which order rows come; absent of a stream. */
  readonly order?: string;
  /** Endless batches of these items, ascending, or of all. */
  batches(chosen: Int32Array | undefined, from: TrainPlace): Iterable<ProbeBatch> | AsyncIterable<ProbeBatch>;
  /** These items, ascending, to be judged on; absent of a stream. */
  judged?(chosen: Int32Array): StoredProbeFeatures;
}

export interface SourceOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Bytes. */
  readonly memory: number;
}

export const isStream = (train: object): train is ProbeStream => 'batches' in train;

export async function trainSource(
  train: ProbeFeatures | ProbeStream | StoredProbeFeatures,
  options: SourceOptions,
): Promise<TrainSource> {
  if (isStream(train)) return streamed(train);
  if (!isStored(train)) return held(train, options);
  const bytes = 4 * rowWidth(train) * train.labels.length;
  return bytes <= options.memory ? held(await inMemory(train), options) : pooled(train, options);
}

const streamed = (train: ProbeStream): TrainSource => ({
  shape: train,
  items: train.items,
  known: train.classes,
  async *batches(_, { place: from }) {
    for await (const features of train.batches(from)) {
      checkProbeFeatures(features);
      yield { x: probeRows(features), labels: features.labels, place: features.place };
    }
  },
});

const held = (train: ProbeFeatures, { batchSize, seed }: SourceOptions): TrainSource => ({
  shape: shapeOf(train),
  items: train.labels.length,
  known: checkLabels(train.labels),
  order: 'shuffled',
  batches: (chosen = rangeOf(0, train.labels.length), { iteration }) =>
    shuffledBatches(train, chosen, { size: batchSize, seed, skipped: iteration }),
  judged: (chosen) => chosenRows(asStored(train), chosen),
});

function pooled(train: StoredProbeFeatures, { batchSize, seed, memory }: SourceOptions): TrainSource {
  const rows = poolRows(train, memory);
  return {
    shape: train,
    items: train.labels.length,
    known: checkLabels(train.labels),
    order: `shuffled in pools of ${rows} rows, drawn in blocks of ${BLOCK_ROWS}`,
    batches: (chosen, { iteration }) =>
      pooledBatches(chosen ? chosenRows(train, chosen) : train, { batchSize, seed, rows, skipped: iteration }),
    judged: (chosen) => chosenRows(train, chosen),
  };
}
