import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { sharedData } from '../../../../test/support/shared';
import { parquetOf, parquetOfNames, tarOf } from '../../test/archives';
import { writeFood101 } from '../../test/benchmark-files';
import { serveHub } from '../../test/hub-server';
import { writeImageNet, writeV2 } from '../../test/imagenet-files';
import { sendBytes, serve } from '../../test/loopback-server';
import { keysOf, labelsOf, scratchFolder, writeFiles } from '../../test/scratch';
import { loadBatches } from '../loading/loader';
import { SOURCE_KINDS } from './kinds';
import { openSource } from './open-source';
import { openSplits, openTestPart } from './open-splits';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});
const put = (...files: string[]): void => writeFiles(root, Object.fromEntries(files.map((file) => [file, file])));

describe('openSplits', () => {
  it('uses the parts that the data has, with the classes of the training part', async () => {
    put('train/a/1.jpg', 'train/b/2.jpg', 'train/c/3.jpg', 'val/c/4.jpg', 'val/b/5.jpg');
    const { train, val, origin } = await openSplits(root);
    expect([keysOf(train), keysOf(val), labelsOf(val)]).toEqual([
      ['a/1.jpg', 'b/2.jpg', 'c/3.jpg'],
      ['b/5.jpg', 'c/4.jpg'],
      [1, 2],
    ]);
    expect(origin).toMatch(/its own parts/);
  });

  it('matches labels by name, and says which classes are not shared', async () => {
    writeFiles(root, {
      'train.parquet': parquetOfNames(['1', '2', '3'], ['cat', 'dog', 'eel'], true),
      'val.parquet': parquetOfNames(['4', '5', '6'], ['dog', 'cow', 'cat'], true),
    });
    const { train, val, notes, close } = await openSplits(root);
    await close();
    expect([train.classes, labelsOf(val), val.unlistedClass?.(1)]).toEqual([
      ['cat', 'dog', 'eel'],
      [1, undefined, 0],
      'cow',
    ]);
    expect(notes).toEqual([
      expect.stringMatching(
        /^1 of 3 images .* 1 class without training images .*: cow \(1\); labelled evaluations leave them out/,
      ),
      '1 of 3 classes have no image in the validation part: eel',
    ]);
  });

  it('says so where names meet numbers and no class is common', async () => {
    writeFiles(root, {
      'train.parquet': parquetOfNames(['1', '2'], ['cat', 'dog'], true),
      'val.parquet': parquetOf(['3', '4'], [0, 1]),
    });
    const { val, notes, close } = await openSplits(root);
    await close();
    expect([labelsOf(val), notes]).toEqual([
      [undefined, undefined],
      [
        expect.stringMatching(
          /^no class is common to both parts: training has cat, dog; validation .* has 0 \(1\), 1 \(1\)$/,
        ),
      ],
    ]);
  });

  it('leaves held-out images unlabelled whose class has no other image', async () => {
    put('a/0.jpg', 'b/1.jpg', 'b/2.jpg', 'b/3.jpg', 'c/4.jpg');
    const seeds = Array.from({ length: 8 }, (_, seed) => openSplits(root, { heldOut: { share: 0.5, seed } }));
    for (const { train, val, notes } of await Promise.all(seeds)) {
      const trained = new Set(keysOf(train).map((key) => key[0]!));
      const names = keysOf(val).map((key) => key[0]!);
      const lost = names.filter((name) => !trained.has(name));
      expect(names.map((_, index) => val.unlistedClass?.(index) ?? train.classes![val.label!(index)!])).toEqual(names);
      expect(labelsOf(val).filter((label) => label === undefined).length).toBe(lost.length);
      expect(notes.some((note) => /cannot be predicted|no class is common/.test(note))).toBe(lost.length > 0);
    }
  });

  it('closes the training part where the validation part cannot be opened', async () => {
    put('train/a/1.jpg', 'train/b/2.jpg');
    mkdirSync(path.join(root, 'val'));
    let closed = 0;
    const { open } = SOURCE_KINDS.splits;
    const spy = vi.spyOn(SOURCE_KINDS.splits, 'open').mockImplementation(async (target, options) => ({
      ...(await open(target, options)),
      close: async () => void closed++,
    }));
    onTestFinished(() => spy.mockRestore());
    await expect(openSplits(root)).rejects.toMatchObject({ code: 'empty-source' });
    expect(closed).toBe(1);
  });

  it('uses the parts of an official string, whatever split it names last', async () => {
    put('train/a/1.jpg', 'val/a/2.jpg');
    expect(keysOf((await openSplits(`ImageNet:split=TRAIN:root=${root}`)).val)).toEqual(['a/2.jpg']);
    await expect(openSplits(`ImageNet:split=VAL:root=${root}`)).rejects.toThrow(/too few images/);
  });

  it('holds out a part where there is none', async () => {
    put(...Array.from({ length: 40 }, (_, index) => `${index % 2 ? 'a' : 'b'}/${index}.jpg`));
    const { train, val, origin } = await openSplits(root, { heldOut: { share: 0.25 } });
    expect([train.length, val.length, val.classes]).toEqual([30, 10, ['a', 'b']]);
    expect(new Set([...keysOf(train), ...keysOf(val)]).size).toBe(40);
    expect(origin).toMatch(/10 of 40 images held out/);
  });

  it('holds out of a train folder that has no val folder beside it', async () => {
    put(...Array.from({ length: 20 }, (_, index) => `train/${index}.jpg`));
    const { train, val } = await openSplits(root);
    expect([train.length, val.length]).toEqual([18, 2]);
  });

  it('holds out of an archive behind an address, whatever stands after its name', async () => {
    const shard = await tarOf({ '0.jpg': 'a', '1.jpg': 'b', '2.jpg': 'c' });
    const server = await serve((request, response) => sendBytes(request, response, shard));
    onTestFinished(() => server.close());
    const { train, val, origin } = await openSplits(`${server.url}/s.tar?key=1`, { cacheDir: root });
    expect([train.length, val.length]).toEqual([2, 1]);
    expect(origin).toMatch(/held out/);
  });

  it('holds out of the single part of a list, and takes a list called val beside one called train', async () => {
    put('a.jpg', 'b.jpg', 'c.jpg');
    writeFiles(root, { 'train.txt': 'a.jpg 0\nb.jpg 1\nc.jpg 1\n' });
    expect((await openSplits(path.join(root, 'train.txt'))).val.length).toBe(1);
    writeFiles(root, { 'val.txt': 'a.jpg 1\n' });
    expect(labelsOf((await openSplits(path.join(root, 'train.txt'))).val)).toEqual([1]);
  });

  it('opens the generated world with scenes of its own for validation', async () => {
    const { train, val } = await openSplits('world:length=2:size=8');
    expect([keysOf(train), keysOf(val)]).toEqual([
      ['train/0', 'train/1'],
      ['val/0', 'val/1'],
    ]);
  });

  it('opens CIFAR with its test batch', async () => {
    writeFiles(root, { 'data_batch_1.bin': new Uint8Array(2 * 3073), 'test_batch.bin': new Uint8Array(3073) });
    const { train, val } = await openSplits(root);
    expect([train.length, val.length]).toEqual([2, 1]);
  });
});

describe('a test part', () => {
  const classes = ['a', 'b'];
  const files = (part: string): string[] => classes.map((name) => `${part}/${name}/1.jpg`);

  it('is given besides validation, with the classes of the training part, unless it is not wanted', async () => {
    put(...files('train'), ...files('val'), ...files('test'), 'test/c/1.jpg');
    const { val, test, origin, notes } = await openSplits(root);
    expect([val.name, test!.name]).toEqual([`folder ${root}/val`, `folder ${root}/test`]);
    expect([labelsOf(test!), test!.unlistedClass!(2)]).toEqual([[0, 1, undefined], 'c']);
    expect(origin).toMatch(/; folder .*test$/);
    expect(notes).toEqual([expect.stringMatching(/^1 of 3 images of the test part are of 1 class without training/)]);
    expect((await openSplits(root, { test: false })).test).toBeUndefined();
  });

  it('is the validation part where there is no other', async () => {
    put(...files('train'), ...files('test'));
    const { val, test, origin } = await openSplits(root);
    expect([val.length, test === val]).toEqual([2, true]);
    expect(origin).toBe(`its own parts: folder ${root}/train; folder ${root}/test`);
    const world = await openSplits('world:length=2:size=8');
    expect(world.test).toBeUndefined();
  });

  it('is found among shards, files, lists and on the hub', async () => {
    const hub = await serveHub({
      'd/train.parquet': parquetOf(['x', 'y'], [4, 7]),
      'd/validation.parquet': parquetOf(['z'], [7]),
      'd/test.parquet': parquetOf(['z'], [4]),
    });
    onTestFinished(() => hub.close());
    const options = { hubUrl: hub.url, cacheDir: root };
    for (const spec of ['hf://ada/flowers', 'hf://ada/flowers:d/train']) {
      const { val, test } = await openSplits(spec, options);
      expect([labelsOf(val), labelsOf(test!)]).toEqual([[1], [0]]);
    }
    writeFiles(root, { 'train.txt': '1.jpg 4\n2.jpg 7\n', 'val.txt': '3.jpg 7\n', 'test.txt': '4.jpg 4\n' });
    put('1.jpg', '2.jpg', '3.jpg', '4.jpg');
    const { val, test } = await openSplits(path.join(root, 'train.txt'));
    expect([keysOf(val), keysOf(test!)]).toEqual([['3.jpg'], ['4.jpg']]);
  });

  it('is what something is tested on, else validation, else all images, and never a share', async () => {
    put(...files('train'), ...files('val'), ...files('test'));
    expect(await openTestPart(root)).toMatchObject({ part: 'test', source: { length: 2 } });
    expect(await openTestPart('world:length=2:size=8')).toMatchObject({ part: 'val' });
    expect(await openTestPart(path.join(root, 'train'))).toMatchObject({ part: 'all', source: { length: 2 } });
    const { notes, close } = await openTestPart(`splits:${root}`);
    expect(notes).toEqual([]);
    await close();
  });
});

describe('a published data set', () => {
  it('gives its official parts, its test part also as validation where it has no other', async () => {
    writeFood101(root);
    const { train, val, test, benchmark, origin, notes } = await openSplits(root);
    expect([train.length, val.length, test]).toEqual([9, 3, val]);
    expect([benchmark!.name, origin]).toEqual(['food-101', 'the official parts of Food-101: train 9, test 3']);
    expect(notes).toContain('test has 3 of the published 25,250 images');
    expect(await openTestPart(root)).toMatchObject({
      part: 'test',
      source: { length: 3 },
      benchmark: { name: 'food-101' },
    });
    expect((await openSplits(`benchmark:${root}`)).train.length).toBe(9);
    // whoever says so gets all its images
    expect((await openSplits(`folder:${root}`)).whole!.length).toBe(12);
  });

  it('that is a test set only is refused for training', async () => {
    writeV2(root);
    await expect(openSplits(root)).rejects.toThrow(/^imagenet-v2 is a test set only; nothing can be trained on it/);
    await expect(openSource(root)).rejects.toThrow(/^imagenet-v2 is a test set only/);
    expect(await openTestPart(root)).toMatchObject({ part: 'test', benchmark: { name: 'imagenet-v2' } });
  });

  it('without one of its parts names it', async () => {
    writeImageNet(root);
    rmSync(path.join(root, 'train'), { recursive: true });
    await expect(openSplits(root)).rejects.toThrow('imagenet-1k lacks a train part here; it has val');
    expect((await openTestPart(root)).part).toBe('val');
  });
});

const flowers = sharedData('flowers5-128');
describe.skipIf(!flowers)('openSplits on flowers5-128 (needs shared/data/flowers5-128)', () => {
  it('feeds batches of every class from 2,934 photographs, with 736 for validation', async () => {
    const { train, val } = await openSplits(flowers!);
    expect([train.length, val.length, train.classes]).toEqual([
      2934,
      736,
      ['daisy', 'dandelion', 'roses', 'sunflowers', 'tulips'],
    ]);
    const labels = new Set<number | undefined>();
    for await (const { images, cursor } of loadBatches(train, { batchSize: 64, seed: 1 })) {
      for (const { image, label } of images) {
        expect(Math.min(image.width, image.height)).toBe(128);
        labels.add(label);
      }
      if (cursor.sampler.drawn >= 256) break;
    }
    expect([...labels].sort()).toEqual([0, 1, 2, 3, 4]);
  });
});
