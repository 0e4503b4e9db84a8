/**
 * From batches to updates of the weights, in one or several micro-steps each. A micro-step draws masks and kept samples, cuts the crops and replays the compiled
 * step; gradients of an update's micro-steps add up. Everything random is a function of the seed and the number of the micro-step. Before each of them the ranks
 * agree that all have a batch and nobody was asked to stop: a step is begun by all or by none, and no message of theirs comes between those of a step.
 */
import type { Communicator } from '@franca/collective';
import { DataError, type LoadedBatch } from '@franca/data';
import {
  type CompiledPretrainStep,
  type DrawnInputs,
  drawInputs,
  microStepKnobs,
  type ScheduledValues,
} from '@franca/pretraining';
import type { DerivedOptions } from '../config/derived-options';
import { TrainError } from '../errors';
import type { RunRecord } from '../observe/run-record';
import { gatherNumbers } from '../ranks/exchange';
import { agreedError, attempt, type Outcome } from '../ranks/together';
import type { Position } from './checkpointing';
import type { Cropper, Crops } from './crops';
import type { Profiler } from './profiler';
import { stepsInFlight } from './steps-in-flight';

/** The position after an update, and its last masks [2b, N]. */
export interface Update extends Position {
  readonly masks: Uint8Array;
}

export interface MicroStepContext {
  readonly ranks: Communicator;
  readonly options: DerivedOptions;
  readonly step: CompiledPretrainStep;
  readonly schedule: (iteration: number) => ScheduledValues;
  readonly cropper: Cropper;
  readonly record: RunRecord;
  readonly profiler: Profiler;
  /** Whether this rank was asked to stop. */
  readonly isAsked: () => boolean;
  /** Called once where the ranks agree to stop, with those that were asked. */
  readonly onStop: (asked: readonly number[]) => void;
}

/**
 * Trains on one batch after the other, from the update after `first`; each update is given as soon as it is submitted. Endless, as the batches are, unless one of
 * several ranks is asked to stop: then it ends before the next update. Throws TrainError `data` on all ranks where one has no batch.
 */
export async function* updates(
  batches: AsyncIterable<LoadedBatch>,
  first: number,
  context: MicroStepContext,
): AsyncGenerator<Update, void, undefined> {
  const { record, profiler, options, step, ranks, schedule, onStop } = context;
  const { accumulation } = options.batch;
  const inFlight = stepsInFlight(step, ranks);
  const loaded = batches[Symbol.asyncIterator]();
  try {
    for (let number = first * accumulation; ; number++) {
      const prepared = await attempt(() => prepare(loaded, number, context));
      await inFlight.room();
      profiler.end('wait for the device');
      const { batch, crops, inputs, nMasked, skipped, asked } = await agree(prepared, context);
      if (asked.length > 0 && number % accumulation === 0) {
        onStop(asked);
        return;
      }
      const knobs = {
        ...schedule(Math.floor(number / accumulation)),
        nMasked,
        ...microStepKnobs(options, number % accumulation),
      };
      await profiler.run(number, { ...crops, ...inputs }, knobs);
      inFlight.submitted();
      profiler.end('encode and submit');
      record.count(batch, skipped);
      const { masks } = inputs;
      if ((number + 1) % accumulation === 0)
        yield { step: (number + 1) / accumulation, cursor: batch.cursor, imagesSeen: record.imagesSeen, masks };
    }
  } finally {
    await loaded.return?.();
  }
}

/** What a micro-step is run on. */
interface Prepared extends DrawnInputs {
  readonly batch: LoadedBatch;
  readonly crops: Crops;
}

/** The next batch with its crops and what is drawn for micro-step `number`, counted from 0. */
async function prepare(
  batches: AsyncIterator<LoadedBatch>,
  number: number,
  { ranks, options, step, cropper, profiler }: MicroStepContext,
): Promise<Prepared> {
  const batch = await nextBatch(batches);
  profiler.end('wait for data');
  const drawn = drawInputs(options, number);
  profiler.end('draw masks and kept samples');
  // a step with exchanges is not submitted all at once: what it still reads is left alone
  if (ranks.size > 1 && cropper.inPlace) await step.done();
  const crops = cropper.crops(batch);
  profiler.end('cut crops');
  return { ...drawn, batch, crops };
}

async function nextBatch(batches: AsyncIterator<LoadedBatch>): Promise<LoadedBatch> {
  try {
    return (await batches.next()).value;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const hint = error.code === 'too-many-bad-images' ? '\nfranca.data.max_bad_share sets the allowed share' : '';
    throw new TrainError('data', `${error.message}${hint}`, { cause: error });
  }
}

interface Agreed extends Prepared {
  /** Images that all ranks skipped for it. */
  readonly skipped: number;
  /** The ranks that were asked to stop. One rank alone looks for that after its step, which is sooner. */
  readonly asked: readonly number[];
}

/** What this rank prepared, once all have done so. No step is running: exchanges of its own would come in between. */
async function agree(
  prepared: Outcome<Prepared>,
  { ranks, isAsked }: Pick<MicroStepContext, 'ranks' | 'isAsked'>,
): Promise<Agreed> {
  if (ranks.size === 1) {
    if ('error' in prepared) throw prepared.error;
    return { ...prepared.value, skipped: prepared.value.batch.skipped.length, asked: [] };
  }
  const own = 'value' in prepared ? [0, prepared.value.batch.skipped.length] : [1, 0];
  const all = await gatherNumbers(ranks, [...own, isAsked() ? 1 : 0]);
  if ('error' in prepared || all.some(([failed]) => failed === 1)) throw await agreedError(ranks, prepared);
  return {
    ...prepared.value,
    skipped: all.reduce((sum, [, skipped]) => sum + skipped!, 0),
    asked: all.flatMap(([, , asked], rank) => (asked === 1 ? [rank] : [])),
  };
}
