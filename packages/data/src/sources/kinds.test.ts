import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { idxOf, parquetOf, tarOf } from '../../test/archives';
import { writeFood101 } from '../../test/benchmark-files';
import { serveHub } from '../../test/hub-server';
import { keysOf, labelsOf, rewriteFiles, scratchFolder, versionsOf, writeFiles } from '../../test/scratch';
import { SOURCE_KINDS, type SourceKindName } from './kinds';
import { openSource } from './open-source';
import { openSplits, type SplitOptions } from './open-splits';
import { recogniseSource } from './recognise';
import type { SourceKind } from './source-kind';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});
const put = (...files: string[]): void => writeFiles(root, Object.fromEntries(files.map((file) => [file, file])));

/** A small data set of one kind. */
interface Example {
  /** Writes it; gives the text that means it, and what opening it needs. */
  write(): Promise<{ spec: string; options?: SplitOptions }>;
  /** Keys of all images but those of a validation part of its own. */
  readonly train: readonly string[];
  /** Keys of the validation part, where data of this kind has its own. */
  readonly val?: readonly string[];
  /** Labels of the images of `train`. */
  readonly labels: readonly number[];
}

const EXAMPLES: Readonly<Record<SourceKindName, Example>> = {
  folder: {
    write: async () => {
      put('cat/1.jpg', 'dog/2.jpg');
      return { spec: root };
    },
    train: ['cat/1.jpg', 'dog/2.jpg'],
    labels: [0, 1],
  },
  benchmark: {
    write: async () => {
      writeFood101(root, { classes: ['apple_pie', 'waffles'], train: 1 });
      return { spec: root };
    },
    train: ['images/apple_pie/1000.jpg', 'images/waffles/1000.jpg'],
    val: ['images/apple_pie/9000.jpg', 'images/waffles/9000.jpg'],
    labels: [0, 1],
  },
  splits: {
    write: async () => {
      put('train/cat/1.jpg', 'train/dog/2.jpg', 'val/dog/3.jpg');
      return { spec: root };
    },
    train: ['cat/1.jpg', 'dog/2.jpg'],
    val: ['dog/3.jpg'],
    labels: [0, 1],
  },
  tar: {
    write: async () => {
      const train = await tarOf({ '0.jpg': 'x', '0.cls': '4', '1.jpg': 'y', '1.cls': '7' });
      writeFiles(root, { 'train-0.tar': train, 'val-0.tar': await tarOf({ '2.jpg': 'z', '2.cls': '7' }) });
      return { spec: root };
    },
    train: ['train-0.tar/0', 'train-0.tar/1'],
    val: ['val-0.tar/2'],
    labels: [0, 1],
  },
  parquet: {
    write: async () => {
      writeFiles(root, { 'train.parquet': parquetOf(['x', 'y'], [4, 7]), 'test.parquet': parquetOf(['z'], [7]) });
      return { spec: root };
    },
    train: ['train.parquet#0', 'train.parquet#1'],
    val: ['test.parquet#0'],
    labels: [0, 1],
  },
  idx: {
    write: async () => {
      writeFiles(root, {
        'train-images-idx3-ubyte': idxOf([2, 1, 1], [10, 20]),
        'train-labels-idx1-ubyte': idxOf([2], [4, 7]),
        't10k-images-idx3-ubyte': idxOf([1, 1, 1], [30]),
        't10k-labels-idx1-ubyte': idxOf([1], [7]),
      });
      return { spec: root };
    },
    train: ['train-images-idx3-ubyte@0', 'train-images-idx3-ubyte@1'],
    val: ['t10k-images-idx3-ubyte@0'],
    labels: [4, 7],
  },
  list: {
    write: async () => {
      writeFiles(root, { 'train.txt': '1.jpg 4\n2.jpg 7\n', '1.jpg': 'x', '2.jpg': 'y' });
      writeFiles(root, { 'val.txt': '3.jpg 7\n', '3.jpg': 'z' });
      return { spec: `${root}/train.txt` };
    },
    train: ['1.jpg', '2.jpg'],
    val: ['3.jpg'],
    labels: [0, 1],
  },
  hub: {
    write: async () => {
      const test = parquetOf(['z'], [7]);
      const hub = await serveHub({ 'train.parquet': parquetOf(['x', 'y'], [4, 7]), 'test.parquet': test });
      onTestFinished(() => hub.close());
      return { spec: 'hf://ada/flowers:train', options: { hubUrl: hub.url } };
    },
    train: ['train.parquet#0', 'train.parquet#1'],
    val: ['test.parquet#0'],
    labels: [0, 1],
  },
  official: {
    write: async () => {
      put('train/n01/1.JPEG', 'train/n02/2.JPEG', 'val/n02/3.JPEG');
      return { spec: `ImageNet:split=TRAIN:root=${root}` };
    },
    train: ['n01/1.JPEG', 'n02/2.JPEG'],
    val: ['n02/3.JPEG'],
    labels: [0, 1],
  },
  flowers: {
    write: async () => {
      put('flower_photos/roses/1.jpg', 'flower_photos/tulips/2.jpg', 'flower_photos/LICENSE.txt');
      return { spec: 'flowers' };
    },
    train: ['roses/1.jpg', 'tulips/2.jpg'],
    labels: [0, 1],
  },
  world: {
    write: async () => ({ spec: 'world:length=2:size=8:classes=2' }),
    train: ['train/0', 'train/1'],
    val: ['val/0', 'val/1'],
    labels: [0, 1],
  },
};

describe.each(Object.values(SOURCE_KINDS))('a data set of the kind $kind', ({ kind, validation }) => {
  const example = EXAMPLES[kind];

  it('is recognised, and opened with its labels', async () => {
    const { spec, options } = await example.write();
    expect((await recogniseSource(spec)).kind).toBe(kind);
    const source = await openSource(spec, { cacheDir: root, ...options });
    onTestFinished(() => source.close?.());
    expect([keysOf(source), labelsOf(source)]).toEqual([example.train, example.labels]);
    expect(await source.read(0)).toBeDefined();
  });

  it('tells versions that differ from image to image, come again, and change when files are written anew', async () => {
    const { spec, options } = await example.write();
    const versions = async (): Promise<string[]> => {
      const source = await openSource(spec, { cacheDir: root, ...options });
      onTestFinished(() => source.close?.());
      return versionsOf(source);
    };
    const before = await versions();
    expect(new Set(before).size).toBe(before.length);
    expect(await versions()).toEqual(before);
    await rewriteFiles(root);
    const after = await versions();
    // The hub is asked for the hash of the content, and the world has no files.
    const kept = ['hub', 'world'].includes(kind) ? before.length : 0;
    expect(after.filter((version) => before.includes(version)).length).toBe(kept);
  });

  it('has the validation part that its kind declares', async () => {
    const { spec, options } = await example.write();
    const { train, val, origin, close } = await openSplits(spec, { cacheDir: root, ...options });
    onTestFinished(close);
    if (validation === 'held out') {
      expect(origin).toMatch(/1 of 2 images held out/);
      expect([...keysOf(train), ...keysOf(val)].sort()).toEqual(example.train);
    } else {
      expect(origin).toMatch(/its own parts|official parts/);
      expect([keysOf(train), keysOf(val)]).toEqual([example.train, example.val]);
    }
    expect(val.classes).toEqual(train.classes);
  });

  it('stands in the README as it speaks of itself', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const row = readme.split('\n').find((line) => line.startsWith(`| \`${kind}\` `)) ?? '';
    const cells = row.split('|').map((cell) => cell.replaceAll('`', '').trim());
    expect(cells[3]).toBe(SOURCE_KINDS[kind].labels);
    expect(cells[4] === 'held out').toBe(validation === 'held out');
  });
});

describe('a kind of data set', () => {
  it('says where its validation part is, or does not compile', () => {
    // @ts-expect-error: without `validation`, its test files would lie unused and training images be held out instead.
    const silent: SourceKind = { kind: 'x', says: '', labels: '', prefixed: true, open: async () => never() };
    expect(silent).not.toHaveProperty('validation');
  });
});

function never(): never {
  throw new Error('is not opened');
}
