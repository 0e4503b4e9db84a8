/** Versions of images: what changes them and what does not, over sources of every sort of storage. */
import { renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { idxOf, parquetOf, tarOf } from '../../test/archives';
import { keysOf, labelsOf, scratchFolder, versionsOf, writeFiles } from '../../test/scratch';
import { type ByteFile, bytesInMemory } from '../files/byte-file';
import { holdOut } from '../loading/subset';
import { createRandom } from '../random';
import { generatedWorld } from '../world/generated-world';
import { folderSource } from './folder';
import { idxSource } from './idx';
import { listSource } from './list';
import { memorySource } from './memory';
import { parquetSource } from './parquet';
import { webDatasetSource } from './webdataset';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});
/** Clocks of file systems tick every few milliseconds. */
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
const folder = async (): Promise<string[]> => versionsOf(await folderSource(root));

describe('a file', () => {
  it.each([
    ['other content of the same size', () => writeFiles(root, { 'a/2.jpg': 'zz' })],
    [
      'other content with the time of modification set back',
      () => {
        const { atime, mtime } = statSync(path.join(root, 'a/2.jpg'));
        writeFiles(root, { 'a/2.jpg': 'zz' });
        utimesSync(path.join(root, 'a/2.jpg'), atime, mtime);
      },
    ],
    ['another file in its place', () => renameSync(path.join(root, 'spare'), path.join(root, 'a/2.jpg'))],
  ])('is another version with %s, and the others are as before', async (_, change) => {
    writeFiles(root, { 'a/1.jpg': '11', 'a/2.jpg': '22', 'b/3.jpg': '33', spare: 'ss' });
    const before = await folder();
    await tick();
    change();
    const after = await folder();
    expect(after.map((version, index) => version === before[index])).toEqual([true, false, true]);
  });

  it('keeps its version when the folder that is its class gets another name', async () => {
    writeFiles(root, { 'a/1.jpg': '11', 'b/2.jpg': '22' });
    const before = await folder();
    await tick();
    renameSync(path.join(root, 'b'), path.join(root, 'c'));
    expect(await folder()).toEqual(before);
    expect((await folderSource(root)).classes).toEqual(['a', 'c']);
  });

  it('tells two class folders that changed places, though all files are alike', async () => {
    writeFiles(root, { 'a/1.jpg': '11', 'b/1.jpg': '22' });
    const before = await folder();
    for (const [from, to] of ['ax', 'ba', 'xb']) renameSync(path.join(root, from!), path.join(root, to!));
    expect(await folder()).toEqual(before.toReversed());
  });

  it('of a list is another version when it goes and when it comes back', async () => {
    writeFiles(root, { 'l.txt': '1.jpg\n2.jpg\n', '1.jpg': '1', '2.jpg': '2' });
    const source = await listSource(path.join(root, 'l.txt'));
    const before = await versionsOf(source);
    rmSync(path.join(root, '2.jpg'));
    const without = await versionsOf(source);
    await tick();
    writeFiles(root, { '2.jpg': '2' });
    expect(new Set([before[1], without[1], await source.version(1)]).size).toBe(3);
    expect(without[0]).toBe(before[0]);
  });
});

describe('an archive', () => {
  it.each([
    [
      'tar',
      async (bytes: string) => {
        writeFiles(root, { 'a.tar': await tarOf({ '0.jpg': 'x', '1.jpg': bytes }) });
        return webDatasetSource([path.join(root, 'a.tar')]);
      },
    ],
    [
      'idx',
      async (bytes: string) => {
        writeFiles(root, { 'train-images-idx3-ubyte': idxOf([2, 1, 1], [0, bytes.charCodeAt(0)]) });
        return idxSource(root);
      },
    ],
  ])('%s that was built anew with the same names is of other versions', async (_, open) => {
    const before = await open('1');
    const first = await versionsOf(before);
    await tick();
    const after = await open('2');
    expect(keysOf(after)).toEqual(keysOf(before));
    expect((await versionsOf(after)).filter((version) => first.includes(version))).toEqual([]);
  });

  it('tells members of one file by their places', async () => {
    const shard = (bytes: Uint8Array): ByteFile => bytesInMemory('a.tar', bytes, 'the same');
    const [a, b] = [await tarOf({ '0.jpg': 'x', '1.jpg': 'y' }), await tarOf({ '1.jpg': 'y', '2.jpg': 'xx' })];
    const [one, other] = [await webDatasetSource([shard(a)]), await webDatasetSource([shard(b)])];
    expect(await one.version(0)).toBe(await other.version(0));
    expect(await one.version(1)).not.toBe(await other.version(1));
  });

  it('of tables tells rows, and the column that is read', async () => {
    const file = bytesInMemory('a.parquet', parquetOf(['x', 'y'], [4, 7]), 'v');
    const source = await parquetSource('p', [file]);
    onTestFinished(() => source.close?.());
    expect(await versionsOf(source)).toEqual(['v; row 0 of image', 'v; row 1 of image']);
  });
});

describe('pixels at hand', () => {
  const picture = (width: number, data: number[]) => ({
    pixels: { width, height: data.length / 3 / width, channels: 3 as const, data: Uint8Array.from(data) },
  });
  it('are told by content and form, whatever their keys and labels', async () => {
    const source = memorySource(
      'm',
      [
        { key: 'a', content: picture(1, [1, 2, 3, 4, 5, 6]), label: 0 },
        { key: 'b', content: picture(1, [1, 2, 3, 4, 5, 6]), label: 1 },
        { key: 'c', content: picture(2, [1, 2, 3, 4, 5, 6]) },
        { key: 'd', content: picture(1, [1, 2, 3, 4, 5, 7]) },
        { key: 'e', content: { encoded: Uint8Array.of(1, 2) } },
      ],
      ['x', 'y'],
    );
    const [a, b, ...others] = await versionsOf(source);
    expect(a).toBe(b);
    expect(new Set([a, ...others]).size).toBe(4);
  });

  it('of the generated world are told by what it is made from', async () => {
    const options = [{}, { seed: 1 }, { size: 9 }, { classes: 3 }, { split: 'val' as const }];
    const all = options.flatMap((more) => {
      const world = generatedWorld({ length: 3, size: 8, classes: 2, ...more });
      return [0, 1, 2].map((index) => world.version(index));
    });
    expect(new Set(all).size).toBe(15);
    expect(generatedWorld({ length: 9, size: 8, classes: 2 }).version(0)).toBe(all[0]);
  });
});

describe('100 made-up folders, each changed in one way', () => {
  it('have other versions exactly where the content is another', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = createRandom({ seed, position: 0, stream: 0 });
      const place = path.join(root, String(seed));
      const names = Array.from({ length: 2 + random.below(5) }, (_, at) => `${'abc'[random.below(3)]}/${at}.jpg`);
      writeFiles(place, Object.fromEntries(names.map((name) => [name, String(random.below(2))])));
      const before = await folderSource(place);
      const contents = new Map((await versionsOf(before)).map((version, at) => [version, before.key(at)]));
      const chosen = names[random.below(names.length)]!;
      await tick();
      const kind = random.below(3);
      if (kind === 0) writeFiles(place, { [chosen]: '2' });
      if (kind === 1) rmSync(path.join(place, chosen));
      if (kind === 2) renameSync(path.join(place, path.dirname(chosen)), path.join(place, `${random.below(9)}`));
      const after = await folderSource(place);
      const versions = await versionsOf(after);
      const unknown = versions.filter((version) => !contents.has(version)).length;
      expect([unknown, versions.length], `seed ${seed}, change ${kind}`).toEqual([
        kind === 0 ? 1 : 0,
        names.length - (kind === 1 ? 1 : 0),
      ]);
      for (const [at, version] of versions.entries())
        if (contents.has(version)) expect(path.basename(contents.get(version)!)).toBe(path.basename(after.key(at)));
    }
  });
});

describe('parts', () => {
  it('have the versions of their images', async () => {
    const world = generatedWorld({ length: 20, size: 8 });
    const { train, val } = holdOut(world, { share: 0.3 });
    const all = [...(await versionsOf(train)), ...(await versionsOf(val))];
    expect(all.toSorted()).toEqual((await versionsOf(world)).toSorted());
    for (const part of [train, val])
      for (const [index, version] of (await versionsOf(part)).entries()) {
        const at = Number(part.key(index).split('/')[1]);
        expect([version, labelsOf(part)[index]]).toEqual([world.version(at), world.label(at)]);
      }
  });
});
