/** Any tar: each picture in it is an image with its own bytes, key and label, or it is counted in the notes. */

import { describe, expect, it } from 'vitest';
import { type TarForm, type WrittenMember, writeTar } from '../../test/archives';
import { keysOf, labelsOf, readText } from '../../test/scratch';
import { bytesInMemory } from '../files/byte-file';
import type { ImageSource } from '../images/image-source';
import { createRandom, type Random } from '../random';
import { countOneByOne } from './one-class-list';
import { webDatasetSource } from './webdataset';

/** A source of shards, each given by its members; strings are names, whose bytes are the name. */
const open = (...shards: (string | WrittenMember)[][]): Promise<ImageSource> =>
  webDatasetSource(
    shards.map((members, at) =>
      bytesInMemory(
        `/data/s-${at}.tar`,
        writeTar(members.map((member) => (typeof member === 'string' ? { name: member, body: member } : member))),
        '1',
      ),
    ),
  );
const cls = (key: string, value: string): WrittenMember => ({ name: `${key}.cls`, body: value });
const numbered = (count: number, names: (at: number) => string[]): string[] =>
  Array.from({ length: count }, (_, at) => names(at)).flat();
const textsOf = (source: ImageSource): Promise<string[]> =>
  Promise.all(Array.from({ length: source.length }, (_, index) => readText(source, index)));

describe('names with dots', () => {
  it.each([
    ['dates', (at: number) => [`2024.06.01_${at}.png`]],
    ['class and number', (at: number) => [`cat.${at}.jpg`, `dog.${at}.jpg`]],
    ['sentences', (at: number) => [`Screenshot at 10.15.${at}.png`, `Dr. Who ${at}.png`]],
    ['words that never come back', (at: number) => [`john.surname${at}.jpg`]],
    ['versions', (at: number) => [at === 0 ? 'photo.jpg' : `photo.v${at}.jpg`]],
    ['extensions that differ in case', (at: number) => [`IMG_${at}.JPG`, `IMG_${at}.jpg`]],
  ])('are files, not one sample: %s', async (_, names) => {
    const members = numbered(40, names);
    const source = await open(members);
    expect(await textsOf(source)).toEqual(members);
    expect(new Set(keysOf(source)).size).toBe(members.length);
  });

  it('keep their labels', async () => {
    const source = await open([
      '2024.06.01_0.png',
      cls('2024.06.01_0', '7'),
      '2024.06.01_1.png',
      cls('2024.06.01_1', '3'),
    ]);
    expect([source.classes, labelsOf(source), source.notes]).toEqual([['3', '7'], [1, 0], undefined]);
    const views = await open(['obj.0.png', 'obj.1.png', cls('obj', '5'), cls('obj.1', '4')]);
    expect([views.classes, labelsOf(views), views.notes]).toEqual([['4', '5'], [1, 0], undefined]);
  });
});

describe('samples of several pictures', () => {
  it('are known by extensions that come back, over all shards together', async () => {
    const names = (from: number) => (at: number) => [`${from + at}.left.jpg`, `${from + at}.right.jpg`];
    const source = await open(numbered(2, names(0)), numbered(2, names(2)));
    expect(keysOf(source)).toEqual(['s-0.tar/0', 's-0.tar/1', 's-1.tar/2', 's-1.tar/3']);
    expect(source.notes).toEqual([
      '4 further images of samples are not used, e.g. s-0.tar/0.right.jpg beside 0.left.jpg',
    ]);
  });

  it('are known by a member with a one-word extension, which is the image wherever it stands', async () => {
    const source = await open(['0.depth.png', '0.jpg', '0.json', '1.jpg', '1.seg.png']);
    expect(await textsOf(source)).toEqual(['0.jpg', '1.jpg']);
    expect(source.notes).toEqual([
      expect.stringMatching(/^2 further images .* s-0\.tar\/0\.depth\.png beside 0\.jpg$/),
    ]);
  });

  it('are files where that is more likely, which is said', async () => {
    const source = await open(['john.doe.jpg', 'john.smith.jpg', 'mary.jones.jpg']);
    expect(keysOf(source)).toEqual(['s-0.tar/john.doe.jpg', 's-0.tar/john.smith.jpg', 's-0.tar/mary.jones.jpg']);
    expect(source.notes).toEqual([expect.stringMatching(/files and no WebDataset samples: 1 names agree/)]);
  });
});

describe('what is left out', () => {
  it('is counted and named, each for its reason', async () => {
    const source = await open([
      '0.jpg',
      cls('0', '1'),
      { name: '1.jpg', body: 'old' },
      cls('1', 'cat'),
      { name: '1.jpg', body: 'new' },
      '2.heic',
      { name: '3.jpg', body: '', type: '1' },
      { name: 'folder.jpg/', body: '', type: '5' },
      '4.json',
      '4.txt',
      '._0.jpg',
      '__MACOSX/0.jpg',
    ]);
    expect([keysOf(source), await textsOf(source)]).toEqual([
      ['s-0.tar/0', 's-0.tar/1'],
      ['0.jpg', 'new'],
    ]);
    expect(source.notes).toEqual([
      '1 members come again under the same name, and the last one is used, e.g. s-0.tar/1.jpg',
      '1 pictures are of types that are not used, e.g. s-0.tar/2.heic: convert them to JPEG or PNG',
      '1 images are links or sparse files in the archive and are not used, e.g. s-0.tar/3.jpg',
      '1 samples or other files have no image, e.g. s-0.tar/4.json',
      '1 .cls members hold no whole number and label nothing, e.g. s-0.tar/1.cls ("cat")',
      '1 images have no label, as others have, e.g. s-0.tar/1.jpg',
      '2 hidden names or traces of a system are passed over, e.g. s-0.tar/._0.jpg',
    ]);
  });

  it('is not one of two names that are no UTF-8, nor a name that begins with ./', async () => {
    const name = (byte: number): Uint8Array => Uint8Array.of(0x61, byte, 0x2e, 0x6a, 0x70, 0x67);
    const source = await open([{ name: name(0xe9), body: 'é' }, { name: name(0xe8), body: 'è' }, './b.jpg']);
    expect(keysOf(source)).toEqual(['s-0.tar/aé', 's-0.tar/aè', 's-0.tar/b']);
    expect(await textsOf(source)).toEqual(['é', 'è', './b.jpg']);
  });
});

/** Words and numbers, spaces and other alphabets, of which names are put together. */
const PARTS = ['2024', '06', 'v2', 'left', 'Dr', ' Who', 'été', '写真', 'a b', 'IMG-1', 'jpg', 'x'.repeat(60)];
const EXTENSIONS = ['jpg', 'PNG', 'jpeg', 'webp'];
const FOLDERS = ['', './', 'cat/', 'set/dog.d/', 'ünï/', `${'deep/'.repeat(30)}`];

interface Picture {
  readonly body: string;
  readonly label?: string;
}

describe('200 made-up archives', () => {
  it('lose no picture unnoticed, mix up none, and label each as it should be', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = createRandom({ seed, position: 0, stream: 0 });
      const pictures = new Map<string, Picture>();
      const shards = Array.from({ length: 1 + random.below(3) }, (_, at) => {
        const form = choose(random, ['ustar', 'gnu', 'pax'] as TarForm[]);
        return bytesInMemory(
          `/${seed}/${choose(random, ['a', 'b'])}${at}/0.tar`,
          writeTar(makeMembers(random, at, pictures), form),
          '1',
        );
      });
      const source = await webDatasetSource(shards);
      const texts = await textsOf(source);
      const where = `seed ${seed}: ${keysOf(source).join(' ')}; ${source.notes?.join('; ')}`;
      expect(new Set(keysOf(source)).size, where).toBe(source.length);
      expect(new Set(texts).size, where).toBe(source.length);
      expect(texts.length + countLeftOut(source), where).toBe(pictures.size);
      expect(source.classCounts, where).toEqual(source.classes && countOneByOne(source));
      const labels = labelsOf(source).map((label) => (label === undefined ? undefined : source.classes![label]));
      if ([...pictures.values()].some(({ label }) => label)) {
        expect(labels, where).toEqual(texts.map((text) => pictures.get(text)!.label));
      }
    }
  });
});

const choose = <T>(random: Random, values: readonly T[]): T => values[random.below(values.length)]!;

/** Samples and files of a shard. Every picture has bytes of its own, under which it is noted. */
function makeMembers(random: Random, shard: number, pictures: Map<string, Picture>): WrittenMember[] {
  const members: WrittenMember[] = [];
  const add = (name: string, label?: string, type = '0'): void => {
    const body = `${shard} ${members.length}`;
    members.push({ name, body: type === '0' ? body : '', type });
    pictures.set(body, label === undefined ? { body } : { body, label });
  };
  const labelled = random.chance(0.5);
  const shared = choose(random, FOLDERS) + choose(random, PARTS);
  add('first.png');
  const count = 3 + random.below(12);
  for (let at = 0; at < count; at++) {
    const dotted = Array.from({ length: random.below(4) }, () => choose(random, PARTS)).join('.');
    const stem = `${random.chance(0.5) ? shared : choose(random, FOLDERS)}.${dotted}_${at}`.replace(/(^|\/)\./, '$1');
    const label = labelled && random.chance(0.8) ? String(random.below(5)) : undefined;
    const extension = choose(random, EXTENSIONS);
    if (label !== undefined) members.push(cls(stem, label));
    add(`${stem}.${extension}`, label);
    if (random.chance(0.3)) for (const field of ['left', 'seg']) add(`${stem}.${field}.png`, label);
    if (random.chance(0.2)) add(`${stem}.${extension}`, label);
    if (random.chance(0.2)) add(`._${at}.${extension}`);
    if (random.chance(0.1)) add(`link${at}.jpg`, undefined, '1');
    if (random.chance(0.3)) members.push({ name: `${stem}.json`, body: '{}' });
  }
  return members;
}

/** How many pictures the notes tell of. */
function countLeftOut({ notes = [] }: ImageSource): number {
  const reasons = /^(\d+) (further images|members come again|images are links|hidden names)/;
  return notes.reduce((sum, note) => sum + Number(reasons.exec(note)?.[1] ?? 0), 0);
}
