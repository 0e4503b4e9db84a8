/**
 * The official data set strings: `ImageNet:split=TRAIN:root=/data/in1k:extra=/data/in1k-extra`.
 *
 * A name, then `key=value` parts; the last of a repeated key wins (the official ImageNet-21K configurations give `root`
 * twice). Unlike the official parser this one lets values contain `:` and `=`: a part without a known key belongs to the value
 * before it.
 */

import { checkArgument, DataError } from '../errors';

const NAMES = ['ImageNet', 'ImageNet22k', 'LAION'] as const;
const KEYS = ['split', 'root', 'extra'] as const;
const SPLITS = { TRAIN: 'train', VAL: 'val', TEST: 'test' } as const;

export interface DatasetString {
  readonly name: (typeof NAMES)[number];
  readonly root: string;
  readonly split: 'train' | 'val' | 'test';
  readonly extra?: string;
}

/** Whether a text begins like a data set string, right or wrong. */
export function looksLikeDatasetString(text: string): boolean {
  return /^[A-Za-z]\w+:(split|root|extra)=/.test(text) || NAMES.some((name) => text.split(':')[0] === name);
}

/**
 * Parses a data set string.
 * @throws DataError bad-spec that names the part which is wrong
 */
export function parseDatasetString(text: string): DatasetString {
  checkArgument('parseDatasetString', 'text', text, 'string');
  const [name, ...parts] = text.split(':') as [string, ...string[]];
  const bad = (what: string): DataError =>
    new DataError(
      'bad-spec',
      `data set ${JSON.stringify(text)}: ${what}; expected e.g. ImageNet:split=TRAIN:root=/data/imagenet`,
    );
  if (!isOneOf(NAMES, name)) throw bad(`${JSON.stringify(name)} is not one of ${NAMES.join(', ')}`);

  const values = new Map<string, string>();
  let last: string | undefined;
  for (const part of parts) {
    const [, key, value] = /^(\w+)=(.*)$/s.exec(part) ?? [];
    if (key !== undefined && isOneOf(KEYS, key)) {
      values.set(key, value!);
      last = key;
    } else if (last === 'root' || last === 'extra') values.set(last, `${values.get(last)}:${part}`);
    else throw bad(`${JSON.stringify(part)} is not ${KEYS.map((each) => `${each}=...`).join(', ')}`);
  }
  const root = values.get('root');
  if (!root) throw bad('root is missing');
  const splitText = values.get('split') ?? 'TRAIN';
  const split = SPLITS[splitText.toUpperCase() as keyof typeof SPLITS];
  if (!split) throw bad(`split ${JSON.stringify(splitText)} is not one of ${Object.keys(SPLITS).join(', ')}`);
  if (name !== 'ImageNet' && split !== 'train') throw bad(`${name} has no ${splitText} split`);
  const extra = values.get('extra');
  return { name, root, split, ...(extra !== undefined && { extra }) };
}

function isOneOf<T extends string>(list: readonly T[], value: string): value is T {
  return (list as readonly string[]).includes(value);
}
