import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { scratchFolder, writeFiles } from '../../test/scratch';
import { DataError } from '../errors';
import type { ImageSource } from '../images/image-source';
import { folderSource } from '../sources/folder';
import { type MemoryImage, memorySource } from '../sources/memory';
import { type LoadedBatch, type LoadedImage, type LoaderCursor, type LoaderOptions, loadBatches } from './loader';

const jpeg = async (value: number): Promise<Uint8Array> =>
  sharp({ create: { width: 12, height: 8, channels: 3, background: { r: value, g: value, b: value } } })
    .jpeg()
    .toBuffer();

/** `count` gray JPEG files, image `i` of gray value `4 i`; those in `bad` are cut short. */
async function grays(count: number, bad: readonly number[] = []): Promise<MemoryImage[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const bytes = await jpeg(4 * index);
      const encoded = bad.includes(index) ? bytes.subarray(0, bytes.length / 2) : bytes;
      return { key: `${index}.jpg`, content: { encoded }, label: index % 2 };
    }),
  );
}

async function take(source: ImageSource, count: number, options: LoaderOptions): Promise<LoadedBatch[]> {
  const batches: LoadedBatch[] = [];
  for await (const batch of loadBatches(source, options)) {
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

const keys = (batches: readonly LoadedBatch[]): string[][] =>
  batches.map((batch) => batch.images.map((each) => each.key));

describe('loadBatches', () => {
  it('gives full batches of decoded images with key, label and place in the sequence', async () => {
    const source = memorySource('grays', await grays(20), ['even', 'odd']);
    const [first, second] = await take(source, 2, { batchSize: 8, seed: 1 });
    expect([first!.images.length, second!.images.length]).toEqual([8, 8]);
    first!.images.forEach((each, place) => {
      expect(each).toMatchObject({ ordinal: place, pass: 0, key: `${each.index}.jpg`, label: each.index % 2 });
      expect(each.image).toMatchObject({ width: 12, height: 8, channels: 3 });
      // A flat gray block survives JPEG within the rounding of its one DC coefficient.
      expect(Math.abs(each.image.data[0]! - 4 * each.index)).toBeLessThanOrEqual(1);
    });
    expect(first!.waitMs).toBeGreaterThan(0);
  });

  it('gives the same batches whatever the number of loads in flight', async () => {
    const source = memorySource('grays', await grays(20, [3, 9]), ['even', 'odd']);
    const one = await take(source, 6, { batchSize: 4, seed: 2, inFlight: 1 });
    const many = await take(source, 6, { batchSize: 4, seed: 2, inFlight: 7, ahead: 30 });
    expect(keys(many)).toEqual(keys(one));
    expect(many.map((batch) => batch.cursor)).toEqual(one.map((batch) => batch.cursor));
  });

  it('counts and names an unusable image, and puts another one in its place alone', async () => {
    const options = { batchSize: 10, seed: 3 };
    const whole = await take(memorySource('grays', await grays(10)), 2, options);
    const batches = await take(memorySource('grays', await grays(10, [4])), 2, options);
    for (const [k, { images, skipped, cursor }] of batches.entries()) {
      expect(skipped).toMatchObject([{ key: '4.jpg', code: 'corrupt-image', times: k + 1 }]);
      expect(cursor.badImages).toEqual({ seen: 11 * (k + 1), bad: k + 1 });
      expect(cursor.sampler).toEqual(whole[k]!.cursor.sampler);
      images.forEach((image, place) => {
        const own = whole[k]!.images[place]!;
        if (own.key === '4.jpg') expect(image).toMatchObject({ ordinal: own.ordinal, pass: own.pass });
        else expect(image.key).toBe(own.key);
        expect(image.key).not.toBe('4.jpg');
      });
    }
  });

  it('resumes bit for bit from any cursor, skips included', async () => {
    const source = memorySource('grays', await grays(11, [0, 5, 7]));
    const options = { batchSize: 3, seed: 4, badImages: { maxShare: 0.5 } };
    const whole = await take(source, 12, { ...options, ahead: 10 });
    for (const [place, batch] of whole.slice(0, 8).entries()) {
      const from = JSON.parse(JSON.stringify(batch.cursor));
      const rest = await take(source, 4, { ...options, from });
      const expected = whole.slice(place + 1, place + 5);
      expect(keys(rest)).toEqual(keys(expected));
      expect(rest.map(({ cursor }) => cursor)).toEqual(expected.map(({ cursor }) => cursor));
    }
  });

  it('finds the one usable image of many, and ends where a pass has none', async () => {
    const all = Array.from({ length: 40 }, (_, index) => index);
    const one = memorySource('one', await grays(40, all.slice(1)));
    const options = { batchSize: 1, seed: 1, badImages: { maxShare: 1 } };
    const [batch] = await take(one, 1, options);
    expect(keys([batch!])).toEqual([['0.jpg']]);
    // more than are tried for a place before its turn
    expect(batch!.skipped.length).toBeGreaterThan(16);
    expect(batch!.skipped.every(({ times }) => times === 1)).toBe(true);
    const none = memorySource('none', await grays(40, all));
    await expect(take(none, 1, options)).rejects.toThrowError(
      expect.objectContaining({
        code: 'too-many-bad-images',
        message: expect.stringMatching(/40 of 40.*no other.*left/),
      }),
    );
  });

  it('reads only a few images ahead of the one that ends a run', async () => {
    let reads = 0;
    const source = {
      ...memorySource('lost', await grays(1)),
      length: 100_000,
      key: (index: number) => `${index}`,
      read: async () => Promise.reject(new DataError('unreadable-image', `gone ${++reads}`)),
    };
    const options = { batchSize: 8, seed: 1, inFlight: 4, badImages: { minSeen: 10, maxShare: 0.5 } };
    await expect(take(source, 1, options)).rejects.toThrow(/6 of 6/);
    // Eight places wait for their turn at most, and the one whose turn it is; none tries more than 16 images by itself.
    expect(reads).toBeLessThanOrEqual(9 * 16);
  });

  it('stops with the list when too many images are unusable', async () => {
    const source = memorySource('grays', await grays(6, [0, 1, 2, 3, 4, 5]));
    const all = take(source, 1, { batchSize: 2, seed: 1, badImages: { minSeen: 20, maxShare: 0.2 } });
    await expect(all).rejects.toThrowError(
      expect.objectContaining({ code: 'too-many-bad-images', message: expect.stringMatching(/5 of 5.*\d\.jpg/s) }),
    );
  });

  it('runs through a folder with files of every kind of damage, and names each', async () => {
    const root = scratchFolder();
    const good = Object.fromEntries(
      await Promise.all(Array.from({ length: 95 }, async (_, at) => [`${at}.jpg`, await jpeg(at)] as const)),
    );
    const whole = await jpeg(100);
    const bomb = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    bomb.writeUInt32BE(70_000, 16);
    bomb.writeUInt32BE(70_000, 20);
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
    writeFiles(root, {
      ...good,
      'empty.jpg': '',
      'text.jpg': 'not a picture',
      'cut.jpg': whole.subarray(0, whole.length - 50),
      'scrambled.png': bomb.subarray(0, 40),
      'bomb.png': bomb,
    });
    const source = await folderSource(root);
    const skipped = new Map<string, string>();
    for await (const batch of loadBatches(source, { batchSize: 10, seed: 1 })) {
      expect(batch.images).toHaveLength(10);
      for (const { key, code } of batch.skipped) skipped.set(key, code);
      if (batch.cursor.sampler.drawn >= 200) break;
    }
    expect(Object.fromEntries(skipped)).toEqual({
      'empty.jpg': 'empty-file',
      'text.jpg': 'not-an-image',
      'cut.jpg': 'corrupt-image',
      'scrambled.png': expect.stringMatching(/corrupt-image|image-too-large/),
      'bomb.png': 'image-too-large',
    });
  });

  it('ends at once when it is aborted', async () => {
    const source = memorySource('grays', await grays(6));
    const stop = new AbortController();
    const batches = loadBatches(source, { batchSize: 2, seed: 1, signal: stop.signal });
    await batches.next();
    stop.abort(new Error('interrupted'));
    await expect(batches.next()).rejects.toThrow('interrupted');
  });

  it('does not swallow an error that is not about one image', async () => {
    const source = { ...memorySource('grays', await grays(6)), read: async () => Promise.reject(new TypeError('bug')) };
    await expect(take(source, 1, { batchSize: 2, seed: 1 })).rejects.toThrow('bug');
  });

  it('refuses a batch size that is not a positive integer, and a rank that there is not', async () => {
    const source = memorySource('grays', await grays(2));
    await expect(take(source, 1, { batchSize: 0, seed: 1 })).rejects.toThrow(/batchSize/);
    await expect(take(source, 1, { batchSize: 1, seed: 1, rank: 2, world: 2 })).rejects.toThrow(/rank 2 of 2/);
    await expect(take(source, 1, { batchSize: 1, seed: 1, world: 0 })).rejects.toThrow(/world is 0/);
  });
});

const BATCH = 12;
// Batches of 12 cross the end of a pass of 29, at another place each time.
const images = await grays(29, [0, 5, 7, 13, 21]);

describe('loadBatches on several ranks', () => {
  const shuffled = memorySource('grays', images);
  const inRuns = { ...shuffled, runs: [4, 0, 9, 3, 7, 6] };
  const options = { seed: 5, window: 8, badImages: { maxShare: 0.9 } };

  /** What ranks that share batches of 12 load, their blocks one after the other; `from` is the cursor of any rank. */
  async function together(source: ImageSource, world: number, count: number, from?: LoaderCursor): Promise<Shared[]> {
    const shares = Array.from({ length: world }, (_, rank) =>
      take(source, count, { ...options, batchSize: BATCH / world, rank, world, from }),
    );
    const ranks = await Promise.all(shares);
    return Array.from({ length: count }, (_, k) => ({
      images: ranks.flatMap((batches) => batches[k]!.images),
      skipped: ranks.flatMap((batches) => batches[k]!.skipped.map(({ key }) => key)),
      cursors: ranks.map((batches) => batches[k]!.cursor.sampler),
    }));
  }

  it.each([
    ['', shuffled],
    [' in runs', inRuns],
  ])('gives the batches of one, unusable images and passes included%s', async (_, source) => {
    const alone = await together(source, 1, 6);
    expect(alone.flatMap(({ skipped }) => skipped)).not.toEqual([]);
    for (const world of [2, 3, 4]) {
      const shared = await together(source, world, 6);
      for (const [k, batch] of shared.entries()) {
        expect(batch.images).toEqual(alone[k]!.images);
        expect(batch.skipped).toEqual(alone[k]!.skipped);
        expect(batch.cursors).toEqual(Array(world).fill(alone[k]!.cursors[0]));
      }
    }
  });

  it.each([
    ['', shuffled],
    [' in runs', inRuns],
  ])('goes on from a cursor of another number of them%s', async (_, source) => {
    const alone = await together(source, 1, 8);
    for (const [before, after] of [
      [1, 3],
      [2, 4],
      [4, 1],
      [3, 2],
    ] as const) {
      const saved = await take(source, 3, { ...options, batchSize: BATCH / before, rank: before - 1, world: before });
      const from: LoaderCursor = JSON.parse(JSON.stringify(saved[2]!.cursor));
      const rest = await together(source, after, 5, from);
      expect(rest.map((batch) => batch.images)).toEqual(alone.slice(3).map((batch) => batch.images));
    }
  });

  it('counts the unusable images of a rank, beside those that it started from', async () => {
    const counts = async (world: number): Promise<number[]> => {
      const shares = Array.from({ length: world }, async (_, rank) => {
        const from = { sampler: { length: 29, seed: 5, drawn: 24 }, badImages: { seen: 100, bad: 20 } };
        const batches = await take(shuffled, 3, { ...options, batchSize: BATCH / world, rank, world, from });
        const { seen, bad } = batches[2]!.cursor.badImages;
        return [seen - 100, bad - 20];
      });
      const sums = await Promise.all(shares);
      return [0, 1].map((each) => sums.reduce((sum, counted) => sum + counted[each]!, 0));
    };
    const alone = await counts(1);
    expect(alone[0]).toBe(36 + alone[1]!);
    expect(await counts(4)).toEqual(alone);
  });
});

interface Shared {
  readonly images: readonly LoadedImage[];
  readonly skipped: readonly string[];
  readonly cursors: readonly LoaderCursor['sampler'][];
}
