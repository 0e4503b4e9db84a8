/**
 * From batches to updates of the weights, in one or several micro-steps each. A micro-step draws masks and kept samples, cuts the crops and replays the compiled
 * step; gradients of an update's micro-steps add up. Everything random is a function of the seed and the number of the micro-step.
 */
import type { LoadedBatch } from '@franca/data';
import { type CompiledPretrainStep, drawInputs, microStepKnobs, type ScheduledValues } from '@franca/pretraining';
import type { DerivedOptions } from '../config/derived-options';
import type { RunRecord } from '../observe/run-record';
import type { Position } from './checkpointing';
import type { Cropper } from './crops';
import type { Profiler } from './profiler';

/** The position after an update, and its last masks [2b, N]. */
export interface Update extends Position {
  readonly masks: Uint8Array;
}

export interface MicroStepContext {
  readonly options: DerivedOptions;
  readonly step: CompiledPretrainStep;
  readonly schedule: (iteration: number) => ScheduledValues;
  readonly cropper: Cropper;
  readonly record: RunRecord;
  readonly profiler: Profiler;
}

/** Trains on one batch after the other, from the update after `first`; each update is given as soon as it is submitted. Endless, as the batches are. */
export async function* updates(
  batches: AsyncIterable<LoadedBatch>,
  first: number,
  context: MicroStepContext,
): AsyncGenerator<Update, void, undefined> {
  const { record, profiler, options } = context;
  const { accumulation } = options.batch;
  let microSteps = first * accumulation;
  for await (const batch of batches) {
    profiler.end('wait for data');
    const masks = await runMicroStep(batch, microSteps++, context);
    record.count(batch);
    if (microSteps % accumulation === 0)
      yield { step: microSteps / accumulation, cursor: batch.cursor, imagesSeen: record.imagesSeen, masks };
  }
}

/** Micro-step `number` of the run, counted from 0; returns its masks. */
async function runMicroStep(batch: LoadedBatch, number: number, context: MicroStepContext): Promise<Uint8Array> {
  const { options, step, schedule, cropper, profiler } = context;
  const { accumulation } = options.batch;
  const { inputs, nMasked } = drawInputs(options, number);
  profiler.end('draw masks and kept samples');
  const crops = cropper.crops(batch);
  profiler.end('cut crops');
  // one step runs while the next batch is cut, never more: the queue stays short and its memory with it
  await step.done();
  profiler.end('wait for the device');
  const knobs = {
    ...schedule(Math.floor(number / accumulation)),
    nMasked,
    ...microStepKnobs(options, number % accumulation),
  };
  await profiler.run(number, { ...crops, ...inputs }, knobs);
  profiler.end('encode and submit');
  return inputs.masks;
}
