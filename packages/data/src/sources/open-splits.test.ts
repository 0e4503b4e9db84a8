import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sharedData } from '../../../../test/support/shared';
import { tarOf } from '../../test/archives';
import { sendBytes, serve } from '../../test/loopback-server';
import { keysOf, labelsOf, scratchFolder, writeFiles } from '../../test/scratch';
import { loadBatches } from '../loading/loader';
import { openSplits } from './open-splits';

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
