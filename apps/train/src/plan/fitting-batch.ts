/** What to change where a step does not fit an adapter: a smaller batch, with accumulation making up for it. */
import { type FittedStep, fitPretraining, LEAST_IMAGES } from '@franca/pretraining';
import { type Target, TensorError } from '@franca/tensor';
import { derive } from '../config/derive';
import type { DerivedOptions, Machine } from '../config/derived-options';
import type { TrainConfig } from '../config/train-config';
import { TrainError } from '../errors';
import { planPretraining } from './plan-pretraining';

/** Where a configuration is meant to run. */
export interface Place {
  readonly target: Target;
  readonly machine: Machine;
  /** Bytes a run may take; absent: as many as it wants. */
  readonly memoryLimit?: number;
}

const NO_ROOM = ['binding-limit', 'memory'];

/** `error` itself, or, if a step was too large for an adapter's bindings or memory, one that also says what fits. */
export function explainMisfit(error: unknown, config: TrainConfig, place: Place): unknown {
  if (!(error instanceof TensorError) || !NO_ROOM.includes(error.code)) return error;
  return new TrainError('device', `${error.message}\n${whatFits(config, place)}`, { cause: error });
}

/** The plan of a configuration, and what it keeps on the device. @throws TrainError `device` where it does not fit, with what does */
export function planOrExplain(config: TrainConfig, place: Place): FittedStep<DerivedOptions> {
  try {
    return fitPretraining(derive(config, place.machine), place.target);
  } catch (error) {
    throw explainMisfit(error, config, place);
  }
}

function whatFits(config: TrainConfig, place: Place): string {
  const { batch, gpus } = derive(config, place.machine);
  const { size } = place.machine;
  const smaller = Array.from({ length: Math.max(0, batch.group - LEAST_IMAGES) }, (_, i) => i + LEAST_IMAGES).filter(
    (images) => batch.total % (images * gpus) === 0 && (images * gpus) % size === 0,
  );
  const images = largestThat(smaller, (candidate) => fits(withBatch(config, candidate, batch.total), place));
  if (images === undefined)
    return `Not even train.batch_size_per_gpu=${LEAST_IMAGES} fits ${place.target.name} with this model, these crops and these heads: make them smaller`;
  return `It fits with train.batch_size_per_gpu=${images} franca.total_batch=${batch.total}: ${(images * gpus) / size} images at a time, ${batch.total} per update as before`;
}

const withBatch = (config: TrainConfig, perDevice: number, total: number): TrainConfig => ({
  ...config,
  train: { ...config.train, batch_size_per_gpu: perDevice },
  franca: { ...config.franca, total_batch: total },
});

/** Whether a plan can be made that stays within the memory. What else is wrong with a configuration is not asked here. */
function fits(config: TrainConfig, { target, machine, memoryLimit = Number.POSITIVE_INFINITY }: Place): boolean {
  try {
    return planPretraining(derive(config, machine), target).report.totalBytes <= memoryLimit;
  } catch (error) {
    if (error instanceof TensorError && NO_ROOM.includes(error.code)) return false;
    throw error;
  }
}

/** The last of ascending values that passes, where all before it pass too; each test takes seconds, so few are made. */
function largestThat(values: readonly number[], passes: (value: number) => boolean): number | undefined {
  let [known, unknown] = [0, values.length];
  while (known < unknown) {
    const middle = Math.floor((known + unknown) / 2);
    if (passes(values[middle]!)) known = middle + 1;
    else unknown = middle;
  }
  return values[known - 1];
}
