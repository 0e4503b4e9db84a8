/** The pictures that a run would go on with against those that it learned from, and where it goes on in them. */
import {
  createSampler,
  DataError,
  type DataSplits,
  type LoaderCursor,
  type SamplerOptions,
  type SamplerState,
} from '@franca/data';
import type { DerivedOptions } from '../config/derived-options';
import { TrainError } from '../errors';
import { forkCommand } from './compare-settings';
import type { Continuation } from './continuation';
import { type DataRecord, dataDifference } from './data-record';

export interface GoesOn {
  readonly cursor: LoaderCursor;
  /** What there is to say of it. */
  readonly notes: readonly string[];
}

export interface DataNow {
  /** The text by which the data were asked for. */
  readonly spec: string;
  readonly splits: DataSplits;
  readonly record: DataRecord;
}

/** Where a resumed run goes on. @throws TrainError `data` where its pictures are others than before */
export function resumeData({ run, saved }: Continuation, options: DerivedOptions, now: DataNow): GoesOn {
  const advice = `give --data as before, or fork the run: ${forkCommand(run, ['--data', now.spec])}`;
  const difference = saved.made && dataDifference(saved.made.data, now.record);
  if (difference) throw new TrainError('data', `the data are not those of ${run}: ${difference}; ${advice}`);
  try {
    createSampler(sampling(options, now), saved.cursor.sampler);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new TrainError('data', `${error.message}; ${advice}`, { cause: error });
  }
  const unknown = `the checkpoint is of a version that did not write down its pictures: that they are the same is taken on trust this once`;
  return { cursor: saved.cursor, notes: saved.made ? [] : [unknown] };
}

/** Where a fork goes on: where its parent stood if neither pictures nor seed changed, else at the start of a new order. */
export function forkData({ saved, config }: Continuation, options: DerivedOptions, now: DataNow): GoesOn {
  const order = createSampler(sampling(options, now)).state();
  const isIn = (place: SamplerState): boolean => fits(sampling(options, now), place);
  const { made, cursor } = saved;
  const unknown = now.spec === config.train.dataset_path ? undefined : 'they are asked for by another name';
  const other = made ? dataDifference(made.data, now.record) : unknown;
  const reasons = [
    ...(other ? [`other data than before: ${other}`] : []),
    ...(order.seed === cursor.sampler.seed ? [] : [`seed ${cursor.sampler.seed} -> ${order.seed}`]),
  ];
  if (reasons.length === 0 && isIn(cursor.sampler)) return { cursor, notes: [] };
  return {
    cursor: { sampler: order, badImages: { seen: 0, bad: 0 } },
    notes: [`pictures are drawn from the start of a new order (${reasons.join('; ') || unfit(order, cursor.sampler)})`],
  };
}

/** Why a place in another order has no meaning, where neither keys nor seed tell. */
const unfit = (order: SamplerState, place: SamplerState): string =>
  order.length === place.length ? 'that of this version or of these files is another one' : 'another number of them';

function fits(options: SamplerOptions, place: SamplerState): boolean {
  try {
    createSampler(options, place);
    return true;
  } catch (error) {
    if (error instanceof DataError) return false;
    throw error;
  }
}

const sampling = ({ seed }: DerivedOptions, { splits: { train } }: DataNow): SamplerOptions => ({
  length: train.length,
  seed,
  runs: train.runs,
  window: train.window,
  data: train.fingerprint,
});
