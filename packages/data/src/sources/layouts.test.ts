/** Generated layouts of data sets: whatever the folders look like, no image gets another label than the class that it was made with. */

import { rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parquetOfNames, tarOf } from '../../test/archives';
import { keysOf, scratchFolder, writeFiles } from '../../test/scratch';
import type { ImageSource } from '../images/image-source';
import { createRandom, type Random } from '../random';
import { openSource } from './open-source';
import { openSplits } from './open-splits';

const NAMES = [
  'a',
  'B',
  'b',
  'n01440764',
  '0',
  '10',
  '9',
  'my cat',
  'été',
  '猫',
  'v1.5',
  'x.jpg',
  'Zebra',
  'label-2',
  'images2',
];

type Part = 'train' | 'val';

/** A layout: the class of every image by what its key ends in, and the files. */
interface Layout {
  readonly classOf: Map<string, string>;
  readonly files: Record<string, string | Uint8Array>;
  /** What is given to `openSplits`, below the root. */
  readonly spec: string;
}

/** Images of some classes in each part; every image has a name of its own. */
function drawParts(random: Random, not = /^$/): Record<Part, [name: string, cls: string][]> {
  const all = NAMES.filter((name) => !not.test(name));
  const names = all.filter(() => random.chance(0.5));
  const classes = names.length < 2 ? ['b', 'c'] : names;
  let image = 0;
  const draw = (chosen: readonly string[]): [string, string][] =>
    chosen.flatMap((cls) =>
      Array.from({ length: 1 + random.below(2) }, () => [`i${image++}`, cls] as [string, string]),
    );
  const some = classes.filter(() => random.chance(0.6));
  const extra = all.filter((name) => !classes.includes(name) && random.chance(0.2));
  return { train: draw(classes), val: draw([...(some.length > 0 ? some : classes), ...extra]) };
}

const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!;

/** Class folders, with empty ones, ones of text only and traces among them, and folders between. */
function folderLayout(random: Random, parts: ReturnType<typeof drawParts>): Omit<Layout, 'classOf'> {
  const files: Layout['files'] = {};
  const above = pick(random, ['', 'data/', 'a b/set/']);
  const names = pick(random, [
    { train: 'train', val: 'val' },
    { train: 'Training', val: 'Validation' },
    { train: 'train', val: 'test' },
  ]);
  const inner = pick(random, ['', '', 'images/']);
  for (const part of ['train', 'val'] as const) {
    const outer = pick(random, ['', '', 'images/']);
    const folder = `${above}${names[part]}/${outer}`;
    for (const [name, cls] of parts[part]) files[`${folder}${cls}/${inner}${name}.jpg`] = name;
    if (random.chance(0.4)) files[`${folder}0-text/notes.txt`] = 'none';
    if (random.chance(0.4)) files[`${folder}__MACOSX/b/._i0.jpg`] = 'trace';
    if (random.chance(0.4)) files[`${folder}.hidden/h.jpg`] = 'trace';
    if (random.chance(0.4)) files[`${folder}${parts[part][0]![1]}/._x.jpg`] = 'trace';
  }
  return { files, spec: '' };
}

/** The validation images flat, with their classes in a text file. */
function flatLayout(random: Random, parts: ReturnType<typeof drawParts>): Omit<Layout, 'classOf'> {
  const { files } = folderLayout(random, { ...parts, val: [['i0', 'x']] });
  const train = Object.fromEntries(Object.entries(files).filter(([name]) => /^(data\/|a b\/set\/)?train/i.test(name)));
  const above = /^(data\/|a b\/set\/)?/.exec(Object.keys(train)[0]!)![0];
  const inner = pick(random, ['', 'images/']);
  const [list, line] = pick(random, [
    ['val/val_annotations.txt', (name: string, cls: string) => `${name}.jpg\t${cls}\t0\t1\t2\t3`],
    ['val_labels.csv', (name: string, cls: string) => `val/${inner}${name}.jpg,${cls}`],
    ['val_map.txt', (name: string, cls: string) => `${name}.jpg\t${cls}`],
  ]);
  const val = Object.fromEntries(parts.val.map(([name]) => [`${above}val/${inner}${name}.jpg`, name]));
  const text = parts.val.map(([name, cls]) => line(name, cls)).join('\n');
  return { files: { ...train, ...val, [`${above}${list}`]: text }, spec: '' };
}

async function tarLayout(random: Random, parts: ReturnType<typeof drawParts>): Promise<Omit<Layout, 'classOf'>> {
  const above = pick(random, ['', 'shards/']);
  const tar = (part: Part) => tarOf(Object.fromEntries(parts[part].map(([name, cls]) => [`${cls}/${name}.jpg`, name])));
  return { files: { [`${above}train-0.tar`]: await tar('train'), [`${above}val-0.tar`]: await tar('val') }, spec: '' };
}

async function parquetLayout(random: Random, parts: ReturnType<typeof drawParts>): Promise<Omit<Layout, 'classOf'>> {
  const file = (part: Part) =>
    parquetOfNames(
      parts[part].map(([name]) => name),
      parts[part].map(([, cls]) => cls),
      random.chance(0.5),
    );
  return { files: { 'train.parquet': file('train'), 'test.parquet': file('val') }, spec: '' };
}

async function listLayout(random: Random, parts: ReturnType<typeof drawParts>): Promise<Omit<Layout, 'classOf'>> {
  const files: Layout['files'] = {};
  const separator = pick(random, ['\t', ',', ' , ']);
  for (const part of ['train', 'val'] as const) {
    for (const [name] of parts[part]) files[`some images/${name}.jpg`] = name;
    files[`${part}.txt`] = parts[part].map(([name, cls]) => `some images/${name}.jpg${separator}${cls}`).join('\r\n');
  }
  return { files, spec: 'train.txt' };
}

/** Class names that text would leave open: numbers that are no class, a second path. */
const NOT_IN: Readonly<Record<string, RegExp>> = { flatLayout: /^\d+$/, listLayout: /\.jpg$/ };

const MAKERS = { folderLayout, flatLayout, tarLayout, parquetLayout, listLayout };
/** Each parquet file starts a worker. */
const LAYOUTS = { folderLayout: 50, flatLayout: 20, tarLayout: 15, parquetLayout: 4, listLayout: 15 };

/** Every image of `source` has the class it was made with, as label or as unlisted class; counts them. */
async function check(
  source: ImageSource,
  classOf: ReadonlyMap<string, string>,
): Promise<{ labelled: number; other: number }> {
  const found = { labelled: 0, other: 0 };
  for (let index = 0; index < source.length; index++) {
    const content = await source.read(index);
    const made = classOf.get('encoded' in content ? new TextDecoder().decode(content.encoded) : '');
    const label = source.label?.(index);
    const said = label === undefined ? source.unlistedClass?.(index) : source.classes?.[label];
    expect(said, source.key(index)).toBe(made);
    found[label === undefined ? 'other' : 'labelled']++;
  }
  return found;
}

describe.each(Object.entries(MAKERS))('%s', (name, make) => {
  it('gives every image of both parts the class that it was made with, or tells of it in a note', async () => {
    const base = scratchFolder();
    for (let seed = 0; seed < LAYOUTS[name as keyof typeof MAKERS]; seed++) {
      const random = createRandom({ seed, position: 0, stream: 0 });
      const parts = drawParts(random, NOT_IN[name]);
      const { files, spec } = await make(random, parts);
      const root = path.join(base, String(seed));
      writeFiles(root, files);
      const trained = new Set(parts.train.map(([, cls]) => cls));
      const classOf = new Map([...parts.train, ...parts.val]);
      const { train, val, notes, close } = await openSplits(path.join(root, spec));
      const context = `seed ${seed}: ${Object.keys(files).join(' | ')}: ${notes.join(' | ')}`;
      expect([train.length, val.length, new Set(keysOf(val)).size], context).toEqual([
        parts.train.length,
        parts.val.length,
        parts.val.length,
      ]);
      expect(new Set(train.classes), context).toEqual(trained);
      expect(val.classes, context).toEqual(train.classes);
      expect(await check(train, classOf), context).toEqual({ labelled: train.length, other: 0 });
      const left = parts.val.filter(([, cls]) => !trained.has(cls)).length;
      expect(await check(val, classOf), context).toEqual({ labelled: val.length - left, other: left });
      const note = left === val.length ? 'no class is common' : `${left} of ${val.length} image`;
      expect(
        notes.some((each) => each.includes(note)),
        context,
      ).toBe(left > 0);
      if (name !== 'listLayout') {
        const alone = await openSource(path.join(root, spec), { split: 'val' });
        expect(alone.classes, context).toEqual(train.classes);
        await check(alone, classOf);
        await alone.close?.();
      }
      await close();
      rmSync(root, { recursive: true });
    }
  });
});
