/** Where features are kept, how, and how many: the options of every command that has a cache, and the cache that they mean. */
import { join } from 'node:path';
import { defaultCacheDir } from '@franca/data';
import { type DescribedSeries, type FeatureCache, type FloatsOnDisk, openFeatureCache } from '@franca/evals/node';
import { type Command, Option } from 'commander';
import { TrainError } from '../errors';
import { gigabytes } from '../options/option-values';
import { amountOfBytes } from '../text/amounts';

export interface CacheOptions {
  readonly cache?: string;
  readonly cacheType?: FloatsOnDisk;
  /** Bytes. */
  readonly cacheLimit?: number;
}

/** The environment variable for `--cache-limit`. */
const LIMIT_VARIABLE = 'FRANCA_CACHE_LIMIT';

/** Adds the options that say which cache, and what it may take. */
export const withCacheFolder = (command: Command): Command =>
  command
    .option('--cache <folder>', 'where features are kept (default: the cache folder of this user)')
    .option(
      '--cache-limit <GB>',
      `what all features there may take; those that were not used for the longest time make room (default: ${LIMIT_VARIABLE}, else half of what the disk has for them)`,
      gigabytes,
    );

/** The same for commands that compute features. */
export const withCache = (command: Command): Command =>
  withCacheFolder(command).addOption(
    new Option(
      '--cache-type <type>',
      'how features are kept; f16: half the disk, and figures move in their last digits',
    )
      .choices(['f32', 'f16'])
      .default('f32'),
  );

export const cacheFolder = ({ cache }: CacheOptions): string => cache ?? join(defaultCacheDir(), 'features');

/** The bound that was chosen, in bytes. @throws TrainError `usage` for a variable that is no number */
export function chosenLimit(
  { cacheLimit }: CacheOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): number | undefined {
  const text = env[LIMIT_VARIABLE];
  if (cacheLimit !== undefined || !text) return cacheLimit;
  const bytes = 1e9 * Number(text);
  if (Number.isFinite(bytes) && bytes > 0) return bytes;
  throw new TrainError('usage', `${LIMIT_VARIABLE} is ${text}; give a positive number of GB`);
}

/** Close it when done: until then nothing that it was asked for is removed. */
export function openCache(options: CacheOptions): FeatureCache {
  const limit = chosenLimit(options);
  return openFeatureCache(cacheFolder(options), {
    ...(limit !== undefined && { limit }),
    onDamaged: (path, reason) => console.error(`${path} is damaged and computed again: ${reason}`),
    onRemoved: (series) => console.error(`removed to make room in the cache of features: ${removedText(series)}`),
  });
}

const removedText = (series: DescribedSeries): string =>
  `${seriesName(series)}, ${amountOfBytes(series.bytes)}, not used since ${day(series.lastUsed)}`;

/** What a series is of. */
export function seriesName({ key, names }: DescribedSeries): string {
  const { model, data } = names ?? {};
  return (
    [data, model, key?.outputs].filter((text) => text !== undefined).join(', ') || 'features of an earlier version'
  );
}

/** `2026-11-30 13:05`, of this place. */
export function day(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const [year, ...rest] = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return `${[year, ...rest.map(two)].join('-')} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What a figure on features that were rounded says of them. */
export const floatsNote = (floats: FloatsOnDisk): string | undefined =>
  floats === 'f16'
    ? 'features are kept as f16, rounded to 11 bits, which moves last digits of figures; --cache-type f32 keeps them as they are'
    : undefined;
