/**
 * What features are found by, and where. All that a key has is hashed into the name of its file; what the files of one data set have in common, into
 * the name of their folder. Such a series is listed, and removed, as one.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOption, checkOptions } from '../errors';

/** How the numbers of `Float32Array`s are kept: as they are, or rounded to 16 bits. */
export type FloatsOnDisk = 'f32' | 'f16';

/** What features were computed from. */
export interface FeatureKey {
  /** Identifies the model: `hashFile` of its weights, and what the file does not say (attention heads, resampled positions). */
  readonly weights: string;
  /** Everything between decoded pixels and the model, such as `resize 256 bicubic, crop 224, ImageNet mean/std`. */
  readonly preprocessing: string;
  /** Identifies the images: `fingerprintFiles` of their files, or a data set's name and version. */
  readonly data: string;
  /** Which outputs, such as `cls of block 11`. */
  readonly outputs: string;
  /** What computes: versions of the code, and where it makes a difference the device. */
  readonly code: string;
  /** Default f32. Features that were rounded are others. */
  readonly floats?: FloatsOnDisk;
  /** Which items of the data set, from `begin` up to, not including, `end`, where it is kept in several files. */
  readonly items?: readonly number[];
  /** What tells the data set as a whole, where `data` tells the items of one file. */
  readonly set?: string;
  /** What model and data are called, for people: no part of what features are found by. */
  readonly about?: FeatureNames;
}

/** Names for people. */
export interface FeatureNames {
  readonly model: string;
  readonly data: string;
  /** Items of the whole data set. */
  readonly items?: number;
}

const KEY: OptionKinds<FeatureKey> = {
  weights: 'string',
  preprocessing: 'string',
  data: 'string',
  outputs: 'string',
  code: 'string',
  floats: ['f32', 'f16'],
  items: 'numbers',
  set: 'string',
  about: 'object',
};
const REQUIRED = ['weights', 'preprocessing', 'data', 'outputs', 'code'] as const;

/** A part that is missing would be missing from the key, and features of something else found under it. */
export function checkKey(key: FeatureKey): void {
  checkOptions('feature cache: key', key, KEY);
  for (const part of REQUIRED) checkArgument('feature cache', `key.${part}`, key[part], 'string');
  const [begin, end, ...more] = key.items ?? [0, 1];
  const valid = Number.isSafeInteger(begin) && Number.isSafeInteger(end) && 0 <= begin! && begin! < end!;
  checkOption(valid && more.length === 0, `feature cache: key.items is [${key.items}]; give [begin, end]`);
}

/** All parts of a key as one text. */
export function keyText({ weights, preprocessing, data, outputs, code, floats, items, set }: FeatureKey): string {
  return JSON.stringify({ weights, preprocessing, data, outputs, code, ...halved(floats), items, set });
}

/** Name of the folder of a key's series. */
export const seriesOf = ({ weights, preprocessing, outputs, code, floats, set }: FeatureKey): string =>
  hashText(JSON.stringify({ weights, preprocessing, outputs, code, ...halved(floats), set })).slice(0, 32);

/** Path of a key's file below the folder of the cache; its items are in its name, so that they can be counted without opening it. */
export function pathOf(key: FeatureKey): string {
  const items = key.items ? `${key.items.join('-')}.` : '';
  return join(seriesOf(key), `${items}${hashText(keyText(key))}.safetensors`);
}

const halved = (floats: FloatsOnDisk | undefined): { floats?: 'f16' } => (floats === 'f16' ? { floats } : {});

const hashText = (text: string): string => createHash('sha256').update(text).digest('hex');
