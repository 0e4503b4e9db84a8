import { beforeEach, describe, expect, it } from 'vitest';
import { keysOf, labelsOf, scratchFolder, writeFiles } from '../../test/scratch';
import type { ImageSource } from '../images/image-source';
import { cifarSource } from './cifar';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});

/** A record whose red plane is `value`, green `value + 1`, blue its position modulo 256. */
const record = (labels: number[], value: number): number[] => [
  ...labels,
  ...new Array(1024).fill(value),
  ...new Array(1024).fill(value + 1),
  ...Array.from({ length: 1024 }, (_, at) => at & 255),
];
const pixel = async (source: ImageSource, index: number, at: number): Promise<number[]> => {
  const content = await source.read(index);
  return 'pixels' in content ? [...content.pixels.data.subarray(3 * at, 3 * at + 3)] : [];
};

describe('cifarSource', () => {
  it('reads CIFAR-10 batches in order, planes to RGB', async () => {
    writeFiles(root, {
      'data_batch_2.bin': Uint8Array.from(record([9], 30)),
      'data_batch_1.bin': Uint8Array.from([...record([3], 10), ...record([0], 20)]),
      'test_batch.bin': Uint8Array.from(record([1], 90)),
      'batches.meta.txt': 'airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n',
    });
    const train = await cifarSource(root);
    expect([train.length, labelsOf(train), train.classes?.[3]]).toEqual([3, [3, 0, 9], 'cat']);
    expect(keysOf(train)).toEqual(['data_batch_1.bin@1', 'data_batch_1.bin@3074', 'data_batch_2.bin@1']);
    expect(await pixel(train, 1, 1023)).toEqual([20, 21, 255]);
    expect(await pixel(train, 2, 5)).toEqual([30, 31, 5]);
    expect(train.notes).toEqual(['2 of the 5 files of CIFAR-10 train are here']);
    const val = await cifarSource(root, 'val');
    expect(val.notes).toBeUndefined();
    expect([val.length, await pixel(val, 0, 0)]).toEqual([1, [90, 91, 0]]);
  });

  it('reads CIFAR-100 with its fine labels', async () => {
    writeFiles(root, { 'train.bin': Uint8Array.from([...record([4, 77], 1), ...record([5, 12], 2)]) });
    const source = await cifarSource(root);
    expect([labelsOf(source), source.classes?.length, source.classes?.[77]]).toEqual([[77, 12], 100, '77']);
    expect(await pixel(source, 1, 2)).toEqual([2, 3, 2]);
  });

  it('gives no label to a forged class', async () => {
    writeFiles(root, { 'test_batch.bin': Uint8Array.from(record([200], 1)) });
    expect(labelsOf(await cifarSource(root, 'val'))).toEqual([undefined]);
  });

  it('refuses a file that is not whole records, and a folder without any', async () => {
    await expect(cifarSource(root)).rejects.toMatchObject({ code: 'not-found' });
    writeFiles(root, { 'data_batch_1.bin': new Uint8Array(3000) });
    await expect(cifarSource(root)).rejects.toMatchObject({ code: 'damaged-file' });
    writeFiles(root, { 'data_batch_1.bin': new Uint8Array(0) });
    await expect(cifarSource(root)).rejects.toMatchObject({ code: 'empty-source' });
  });
});
