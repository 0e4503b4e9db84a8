/** Opens a data set for training and validation: its own parts where it has them, else with a part held out. */

import { DataError } from '../errors';
import type { ImageSource } from '../images/image-source';
import { type HoldOutOptions, holdOut } from '../loading/subset';
import { parseDatasetString } from './dataset-string';
import { type OpenOptions, openRecognised } from './open-source';
import { type Recognised, recogniseSource } from './recognise';

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
  const train = await openRecognised(found, { ...options, split: 'train' });
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
  found: Recognised,
  train: ImageSource,
  options: SplitOptions,
): Promise<ImageSource | undefined> {
  const target = validationTarget(found);
  if (target === undefined) return undefined;
  try {
    return await openRecognised({ ...found, target }, { ...options, split: 'val', classes: train.classes });
  } catch (error) {
    if (error instanceof DataError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function validationTarget({ kind, target }: Recognised): string | undefined {
  switch (kind) {
    case 'folder':
    case 'list':
    case 'flowers':
      return undefined;
    case 'official':
      return officialValidation(target);
    case 'hub':
      return target.replace(/:(?:([\w.-]+)\/)?[\w.-]+$/, (_, config) => (config ? `:${config}/val` : ''));
    case 'tar':
    case 'parquet':
    case 'idx':
      // A single file is all there is.
      return /\.(tar|parquet|gz)$|ubyte$|\{\d+\.\.\d+\}/.test(target) ? undefined : target;
    case 'splits':
    case 'cifar':
    case 'world':
      return target;
  }
}

function officialValidation(target: string): string | undefined {
  const { name, split } = parseDatasetString(target);
  // The last of a repeated key wins.
  return name === 'ImageNet' && split === 'train' ? `${target}:split=VAL` : undefined;
}
