/** Opens a data set for training and validation: its own parts where it has them, else with a part held out. */

import { DataError } from '../errors';
import type { ImageSource } from '../images/image-source';
import { type HoldOutOptions, holdOut } from '../loading/subset';
import { SOURCE_KINDS } from './kinds';
import { type Recognised, recogniseSource } from './recognise';
import type { OpenOptions } from './source-kind';

export interface SplitOptions extends Omit<OpenOptions, 'split' | 'classes'> {
  readonly heldOut?: HoldOutOptions;
}

export interface DataSplits {
  readonly train: ImageSource;
  /** Has the class list of `train`. */
  readonly val: ImageSource;
  /** Where the parts come from, in words. */
  readonly origin: string;
  /** Releases what both parts hold. */
  close(): Promise<void>;
}

/**
 * Opens both parts of a data set.
 *
 * A validation part of its own is a `val` (or `test`) folder, split, file or set of shards. A text that names a part itself
 * (`hf://a/b:train`, `ImageNet:split=TRAIN:...`) is taken at its word for training; validation is looked for beside it.
 * @throws what `openSource` throws
 */
export async function openSplits(spec: string, options: SplitOptions = {}): Promise<DataSplits> {
  const found = await recogniseSource(spec);
  const train = await SOURCE_KINDS[found.kind].open(found.target, { ...options, split: 'train' });
  const val = await openValidation(found, train, options);
  if (val) {
    const close = async (): Promise<void> => {
      await Promise.all([train.close?.(), val.close?.()]);
    };
    return { train, val, origin: `its own parts: ${train.name}; ${val.name}`, close };
  }
  const parts = holdOut(train, options.heldOut);
  const origin = `${parts.val.length} of ${train.length} images held out (seed ${options.heldOut?.seed ?? 0})`;
  return { ...parts, origin, close: async () => train.close?.() };
}

/** The validation part that belongs to the training part, if there is one. */
async function openValidation(
  { kind, target }: Recognised,
  train: ImageSource,
  options: SplitOptions,
): Promise<ImageSource | undefined> {
  const { open, validation } = SOURCE_KINDS[kind];
  const own = validation === 'held out' ? undefined : await validation(target);
  if (own === undefined) return undefined;
  try {
    return await open(own, { ...options, split: 'val', classes: train.classes });
  } catch (error) {
    if (error instanceof DataError && error.code === 'not-found') return undefined;
    throw error;
  }
}
