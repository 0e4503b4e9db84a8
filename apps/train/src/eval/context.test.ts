import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cpuBackend, type Outcome } from '@franca/evals';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeVoc2007 } from '../../../../packages/data/test/benchmark-files';
import { temporaryFolder } from '../../test/tiny-model';
import { createLeftOutImages } from '../features/left-out-images';
import type { FeatureSession } from '../features/session';
import { openContext } from './context';
import { heldImages, type ImagePart } from './image-part';
import type { ContextOptions } from './shared-sets';

const PICTURE = new URL('../../../../packages/data/generated-world.webp', import.meta.url);

/** A model that writes down what it was asked for and says nothing about the images. */
function listeningSession() {
  const asked: string[] = [];
  const session: Partial<FeatureSession> = {
    size: 16,
    leftOut: createLeftOutImages(),
    weights: { name: 'silent', notes: [], rasa: { planes: [], folded: undefined, notes: [] } } as Partial<
      FeatureSession['weights']
    > as FeatureSession['weights'],
    model: { config: { depth: 12, embedDim: 2, patchSize: 8 } } as FeatureSession['model'],
    async stored(set, { blocks, patchMean }) {
      asked.push(`${set.split}: ${blocks} of ${set.dataset}`);
      const zeros = (begin: number, end: number) => new Float32Array(2 * (end - begin));
      return {
        dim: 2,
        images: Int32Array.from({ length: set.length }, (_, i) => i),
        read: async (begin, end) => ({
          blocks: Array.from({ length: blocks }, () => zeros(begin, end)),
          ...(patchMean && { patchMean: zeros(begin, end) }),
        }),
      };
    },
  };
  return { asked, session: session as FeatureSession };
}

const contextOf = (session: FeatureSession | undefined, data: string, more: Partial<ContextOptions> = {}) =>
  openContext(session, cpuBackend, { data, denseData: data, images: {}, denseImages: {}, ...more });

const labelsOf = async (part: ImagePart) => (await heldImages(part)).labelled.labels;

const WORLD = 'world:length=6:size=16:classes=3';

test('a task that asks for test images has no train images computed', async () => {
  const { session, asked } = listeningSession();
  await using context = contextOf(session, WORLD);
  await context.labelled('train');
  await (await context.labelled('test')).features();
  expect(asked).toEqual([`val: 1 of ${WORLD}`]);
});

test('features are computed once, with as many blocks as one of the tasks reads', async () => {
  const { session, asked } = listeningSession();
  await using context = contextOf(session, WORLD, { blocks: 4 });
  const first = await context.labelled('train');
  expect(await context.images('train')).toBe(first);
  const { batches } = await first.features();
  await first.features();
  for await (const { cls, labels } of batches) expect([cls.length, labels.length]).toEqual([12, 6]);
  await context.of(await context.tested()).features();
  expect(asked).toEqual(['train: 4', 'train: 1', 'val: 4', 'val: 1'].map((each) => `${each} of ${WORLD}`));
});

test('images without classes are there for whom needs none', async () => {
  const folder = await temporaryFolder();
  for (let i = 0; i < 20; i++) await copyFile(PICTURE, join(folder, `${i}.webp`));
  const { session } = listeningSession();
  await using context = contextOf(session, folder, { heldOut: {} });
  expect([...new Set(await labelsOf(await context.images('test')))]).toEqual([-1]);
  await expect(context.labelled('test')).rejects.toThrow(/has no classes/);
  await expect(context.segmentation('test')).rejects.toThrow(/has no masks/);
  for (let i = 1; i < 20; i++) await rm(join(folder, `${i}.webp`));
  await using few = contextOf(session, folder, { heldOut: {} });
  await expect(few.images('test')).rejects.toThrow(/too few/);
  await expect(few.segmentation('test')).rejects.toThrow(/has no masks; give a folder or archive with one of: /);
  await rm(folder, { recursive: true });
});

test('without a model there is only what needs none', async () => {
  await using context = contextOf(undefined, WORLD);
  expect(context.grid).toEqual([16, 16]);
  await expect(context.images('test')).rejects.toThrow(/needs a model/);
});

describe('labelled images', () => {
  /** Pictures at these paths below a folder. */
  async function folderOf(...files: string[]): Promise<string> {
    const folder = await temporaryFolder();
    onTestFinished(() => rm(folder, { recursive: true }));
    for (const file of files) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      if (file.endsWith('.webp')) await copyFile(PICTURE, join(folder, file));
      else await writeFile(join(folder, file), 'text');
    }
    return folder;
  }
  const outcome = {
    task: 'x',
    total: 0,
    evaluated: 3,
    value: 1,
    wallMs: 1,
    metric: 'top-1',
    others: {},
    perClass: [],
    hyper: {},
  } as Partial<Outcome> as Outcome;

  test('carry the classes of the training images, whatever else lies in the folder', async () => {
    const { session } = listeningSession();
    await using context = contextOf(
      session,
      await folderOf('train/0-empty/notes.txt', 'train/a/1.webp', 'train/b/2.webp', 'val/b/3.webp', 'val/a/4.webp'),
    );
    expect([...(await labelsOf(await context.labelled('train')))]).toEqual([0, 1]);
    expect([...(await labelsOf(await context.labelled('test')))]).toEqual([0, 1]);
  });

  test('leave out test images of classes without training images, and the record says so', async () => {
    const { session } = listeningSession();
    await using context = contextOf(
      session,
      await folderOf(
        'train/a/1.webp',
        'train/b/2.webp',
        'train/c/2.webp',
        'val/b/3.webp',
        'val/d/4.webp',
        'val/d/5.webp',
      ),
    );
    const test = await context.labelled('test');
    expect([[...(await labelsOf(test))], test.set.length, test.set.total]).toEqual([[1], 1, 3]);
    expect(context.records(test, [outcome])[0]!.notes).toEqual([
      '2 of 3 images of the validation part are of 1 class without training images and cannot be predicted: d (2); labelled evaluations leave them out',
      '2 of 3 classes have no image in the validation part: a, c',
    ]);
    expect((await labelsOf(await context.images('test'))).length).toBe(3);
  });

  test.each([
    [
      'no common class',
      ['train/a/1.webp', 'train/b/2.webp', 'val/x/3.webp', 'val/y/4.webp'],
      /no class is common .* a, b; val has x, y/,
    ],
    [
      'a stray image in training',
      ['train/a/1.webp', 'train/b/2.webp', 'train/stray.webp', 'val/a/3.webp'],
      /train has no classes: .* \(stray.webp\)/,
    ],
    [
      'a stray image in validation',
      ['train/a/1.webp', 'train/b/2.webp', 'val/a/3.webp', 'val/stray.webp'],
      /val has no classes: .* \(stray.webp\)/,
    ],
    ['flat validation images', ['train/a/1.webp', 'train/b/2.webp', 'val/3.webp'], /val has no classes/],
  ])('are refused before anything is computed: %s', async (_, files, message) => {
    const { session, asked } = listeningSession();
    await using context = contextOf(session, await folderOf(...files));
    await expect(context.labelled('train')).rejects.toThrow(message);
    expect(asked).toEqual([]);
  });

  test.each([
    [
      'of one class',
      WORLD,
      { images: { train: 1 } },
      /all 1 chosen training images of .* are of one class, .*--images/,
    ],
    [
      'of several classes each',
      'voc',
      {},
      /images of voc-2007 train may have several classes each, .* eval fine-grained/,
    ],
    ['without a known class', 'list', {}, /train.txt val has no classes; .*--split/],
  ])('%s are refused at the start', async (_, kind, more, message) => {
    const { session, asked } = listeningSession();
    const folder = await folderOf(...['1', '2', '3'].map((name) => `${name}.webp`));
    if (kind === 'voc') writeVoc2007(folder);
    await writeFile(join(folder, 'train.txt'), '1.webp 0\n2.webp 1\n');
    await writeFile(join(folder, 'val.txt'), '3.webp\n');
    const data = { list: join(folder, 'train.txt'), voc: folder }[kind] ?? kind;
    await using context = contextOf(session, data, more);
    await expect(context.labelled('train')).rejects.toThrow(message);
    expect(asked).toEqual([]);
  });

  test('are all of a foreign folder; a limit is told in the record', async () => {
    const { session } = listeningSession();
    const folder = await folderOf(...Array.from({ length: 20 }, (_, i) => `${i % 2 ? 'a' : 'b'}/${i}.webp`));
    await using context = contextOf(session, WORLD);
    expect((await context.of(await context.testSet(folder, 'foreign'))).set.length).toBe(20);
    await using limited = openContext(session, cpuBackend, {
      data: WORLD,
      denseData: WORLD,
      images: { test: 5 },
      denseImages: {},
    });
    const other = await limited.of(await limited.testSet(folder, 'foreign'));
    const [record] = limited.records(await limited.labelled('test'), [outcome], () => 0, [other]);
    expect([other.set.length, record!.notes]).toEqual([5, [expect.stringMatching(/^5 of 20 images of .* are used$/)]]);
  });

  test('of data that need no part for training are those asked for, or that a run held out, else the whole', async () => {
    const { session } = listeningSession();
    const plain = await folderOf(...Array.from({ length: 20 }, (_, i) => `${i % 2 ? 'a' : 'b'}/${i}.webp`));
    const parts = await folderOf(
      ...['train/a/1', 'train/b/2', 'val/a/3', 'val/b/4', 'val/b/5', 'test/a/6', 'test/b/7'].map(
        (name) => `${name}.webp`,
      ),
    );
    const tested = async (data: string, more: Partial<ContextOptions>) => {
      await using context = contextOf(session, data, more);
      const { split, length } = await context.tested();
      return [split, length];
    };
    expect(await tested(plain, {})).toEqual(['all', 20]);
    expect(await tested(plain, { heldOut: { share: 0.5, seed: 7 } })).toEqual(['val', 10]);
    expect(await tested(plain, { split: 'held-out' })).toEqual(['held-out', 2]);
    expect(await tested(parts, {})).toEqual(['test', 2]);
    expect(await tested(parts, { split: 'val' })).toEqual(['val', 3]);
    await expect(tested(parts, { split: 'held-out' })).rejects.toThrow(/has parts of its own/);
  });

  test('held out are told in the record, by share and seed', async () => {
    const { session } = listeningSession();
    const files = Array.from({ length: 20 }, (_, i) => `${i % 2 ? 'a' : 'b'}/${i}.webp`);
    const data = await folderOf(...files);
    const options = { data, denseData: data, images: {}, denseImages: {}, heldOut: { share: 0.5, seed: 7 } };
    await using context = openContext(session, cpuBackend, options);
    const test = await context.labelled('test');
    expect(context.records(test, [outcome])[0]!.notes).toEqual(['10 of 20 images held out (seed 7)']);
  });
});
