/** Opens a data set for training and validation: its own parts where it has them, else with a part held out. */

import type { OptionKinds } from '@franca/tensor';
import { checkOptions, DataError } from '../errors';
import type { ImageSource } from '../images/image-source';
import { HOLD_OUT_OPTIONS, type HoldOutOptions, holdOut } from '../loading/subset';
import type { BenchmarkFacts } from './benchmarks/benchmark';
import { SOURCE_KINDS } from './kinds';
import { shareClasses } from './one-class-list';
import { type Recognised, recogniseSource } from './recognise';
import { checkOpening, OPEN_OPTIONS, type OpenOptions } from './source-kind';

export interface SplitOptions extends Omit<OpenOptions, 'split' | 'classes'> {
  readonly heldOut?: HoldOutOptions;
}

const { split: _, classes: __, ...OPENING } = OPEN_OPTIONS;
const OPTIONS: OptionKinds<SplitOptions> = { ...OPENING, heldOut: 'object' };

export interface DataSplits {
  readonly train: ImageSource;
  /** Has the class list of `train`; a label only where `train` has images of that class, else the class is unlisted. */
  readonly val: ImageSource;
  /** The test part of data that has one besides `val`; with the class list of `train`. */
  readonly test?: ImageSource;
  /** The published data set that it is, where it is one. */
  readonly benchmark?: BenchmarkFacts;
  /** All images, where the data has no parts and some were held out. */
  readonly whole?: ImageSource;
  /** Where the parts come from, in words. */
  readonly origin: string;
  /** What opening had to pass over, and which classes the parts do not share, in words. */
  readonly notes: readonly string[];
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
  checkOpening('openSplits', options, OPTIONS);
  const { heldOut, ...opening } = options;
  if (heldOut) checkOptions('openSplits: heldOut', heldOut, HOLD_OUT_OPTIONS);
  const found = await recogniseSource(spec);
  const train = await SOURCE_KINDS[found.kind].open(found.target, { ...opening, split: 'train' });
  try {
    const own = await openValidation(found, train, opening);
    const parts = own ? ownParts(train, own) : heldOutParts(train, heldOut);
    return found.note ? { ...parts, notes: [found.note, ...parts.notes] } : parts;
  } catch (error) {
    await train.close?.();
    throw error;
  }
}

function ownParts(train: ImageSource, own: ImageSource): DataSplits {
  const { val, notes } = shareClasses(train, own);
  return {
    train,
    val,
    origin: `its own parts: ${train.name}; ${val.name}`,
    notes: [...new Set([...(train.notes ?? []), ...(val.notes ?? []), ...notes])],
    close: async () => {
      await Promise.all([train.close?.(), own.close?.()]);
    },
  };
}

function heldOutParts(whole: ImageSource, options: HoldOutOptions = {}): DataSplits {
  const { train, val: held } = holdOut(whole, options);
  const { val, notes } = shareClasses(train, held);
  return {
    train,
    val,
    whole,
    origin: `${val.length} of ${whole.length} images held out (seed ${options.seed ?? 0})`,
    notes: [...new Set([...(whole.notes ?? []), ...notes])],
    close: async () => whole.close?.(),
  };
}

/** The validation part that belongs to the training part, if there is one. */
async function openValidation(
  { kind, target }: Recognised,
  train: ImageSource,
  options: OpenOptions,
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
