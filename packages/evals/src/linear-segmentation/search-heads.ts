/**
 * The search for the best learning rate and epoch of a linear head: all rates are trained together and scored after every
 * epoch; the first of the best is kept. Where it stands after an epoch, or where the training that follows stands, can be
 * saved: weights and momenta, scores so far, and the best head.
 */
import type { EvalBackend, LinearClassifier, LinearGridState } from '../backend/eval-backend';
import { checkOption } from '../errors';
import type { Json } from '../outcome';
import { type ProgressKeeper, type SavedProgress, savedArray } from '../progress';
import { type TrainHeadsOptions, trainHeads } from './train-heads';
import type { EpochSource } from './train-images';

/** Scores of all heads after each epoch, head by head, and the best head. */
export interface Searched {
  readonly mious: Float64Array;
  readonly head: LinearClassifier;
}

/** A training that was interrupted, in the search or in what follows it. */
export interface HeadsBefore {
  readonly stage: Stage;
  readonly epoch: number;
  readonly grid: LinearGridState;
  readonly searched: Searched;
}

type Stage = 'search' | 'again';

/** Trains all heads together and scores them after every epoch. */
export async function searchHeads(
  backend: EvalBackend,
  source: EpochSource,
  training: TrainHeadsOptions,
  {
    score,
    before,
    progress,
  }: {
    readonly score: (heads: readonly LinearClassifier[], epoch: number) => Promise<readonly number[]>;
    readonly before: HeadsBefore | undefined;
    readonly progress: ProgressKeeper | undefined;
  },
): Promise<Searched> {
  const all = training.heads.length * training.epochs;
  const mious = new Float64Array(all);
  mious.set(before?.searched.mious ?? []);
  let head = before?.searched.head;
  await trainHeads(backend, source, {
    ...training,
    from: before,
    async onEpoch(epoch, trained, save) {
      const first = (epoch - 1) * trained.length;
      const known = bestOf(mious.subarray(0, first));
      mious.set(await score(trained, epoch), first);
      const best = bestOf(mious.subarray(0, first + trained.length));
      if (best !== known) head = trained[best - first]!;
      const searched = { mious: mious.subarray(0, first + trained.length), head: head! };
      if (epoch < training.epochs && progress?.due())
        await progress.save(savedHeads({ stage: 'search', epoch, grid: await save(), searched }));
    },
  });
  return { mious, head: head! };
}

/** Place of the first of the best scores; -1 where there is none. */
export const bestOf = (mious: Float64Array): number =>
  mious.reduce((best, miou, i) => (best < 0 || miou > mious[best]! ? i : best), -1);

const GRID = 'grid ';

export const savedHeads = ({ stage, epoch, grid, searched }: HeadsBefore): SavedProgress => ({
  state: { stage, epoch },
  arrays: {
    ...Object.fromEntries(Object.entries(grid).map(([name, data]) => [GRID + name, data])),
    mious: searched.mious,
    weight: searched.head.weight.data,
    bias: searched.head.bias,
  },
});

/**
 * What was saved of a training of `heads` heads over `dim` columns.
 *
 * @throws EvalsError `options` where it is of another computation
 */
export function readHeads(
  saved: SavedProgress | undefined,
  { heads, epochs, classes, dim }: { readonly [name in 'heads' | 'epochs' | 'classes' | 'dim']: number },
): HeadsBefore | undefined {
  if (!saved) return undefined;
  const { stage, epoch } = (saved.state ?? {}) as Readonly<Record<string, Json | undefined>>;
  const isOurs = (stage === 'search' || stage === 'again') && Number.isSafeInteger(epoch) && Number(epoch) < epochs;
  checkOption(isOurs, 'linearSegmentation: the saved progress is of another computation; delete it');
  const grid = Object.entries(saved.arrays).flatMap(([name, data]) =>
    name.startsWith(GRID) ? [[name.slice(GRID.length), data]] : [],
  );
  const scored = heads * (stage === 'search' ? Number(epoch) : epochs);
  return {
    stage: stage as Stage,
    epoch: Number(epoch),
    grid: Object.fromEntries(grid) as LinearGridState,
    searched: {
      mious: savedArray(saved, 'mious', Float64Array, scored),
      head: {
        weight: { data: savedArray(saved, 'weight', Float32Array, classes * dim), rows: classes, cols: dim },
        bias: savedArray(saved, 'bias', Float32Array, classes),
      },
    },
  };
}
