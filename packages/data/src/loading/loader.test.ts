import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { scratchFolder, writeFiles } from '../../test/scratch';
import { folderSource } from '../sources/folder';
import { type MemoryImage, memorySource } from '../sources/memory';
import { type LoadedBatch, type LoaderOptions, loadBatches } from './loader';

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

async function take(
  source: ReturnType<typeof memorySource>,
  count: number,
  options: LoaderOptions,
): Promise<LoadedBatch[]> {
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

  it('skips, counts and names an unusable image, and fills the batch with the next', async () => {
    const source = memorySource('grays', await grays(10, [4]));
    const batches = await take(source, 2, { batchSize: 9, seed: 3 });
    const skipped = batches.flatMap((batch) => batch.skipped);
    expect(skipped[0]).toMatchObject({ key: '4.jpg', code: 'corrupt-image' });
    expect(keys(batches).flat()).not.toContain('4.jpg');
    expect(batches[1]!.cursor.badImages).toEqual({ seen: 18 + skipped.length, bad: skipped.length });
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

  it('refuses a batch size that is not a positive integer', async () => {
    const source = memorySource('grays', await grays(2));
    await expect(take(source, 1, { batchSize: 0, seed: 1 })).rejects.toThrow(/batchSize/);
  });
});
