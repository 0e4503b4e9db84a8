/** Images by their number against a plain list of them, however few indices are held. */

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { writeTar } from '../../test/archives';
import { scratchFolder } from '../../test/scratch';
import { openLocalFile } from '../files/byte-file';
import { createRandom } from '../random';
import { keepIndex } from './kept-index';
import { type OpenShard, shardTable } from './shard-table';
import { indexShard } from './tar-shard';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});

/** Shards of 0 to 4 pictures, with an index in a file each. */
async function shardsOf(lengths: readonly number[]): Promise<OpenShard[]> {
  const shards: OpenShard[] = [];
  for (const [shard, length] of lengths.entries()) {
    const members = Array.from({ length }, (_, at) => [
      { name: `f${at % 2}/${at}.jpg`, body: 'x'.repeat(shard) },
      { name: `f${at % 2}/${at}.cls`, body: `${shard + at}` },
    ]);
    const at = path.join(root, `${shard}.tar`);
    writeFileSync(at, writeTar(members.flat()));
    const file = await openLocalFile(at);
    const index = await indexShard(file);
    const kept = await keepIndex(index, file, [path.join(root, 'indices', `${shard}`)]);
    shards.push({ file, names: index.summary.names, kept: kept! });
  }
  return shards;
}

it.each([1, 3, 1000])('finds each image with %i pictures held', async (heldPictures) => {
  const random = createRandom({ seed: 1, position: 0, stream: 0 });
  const lengths = [0, ...Array.from({ length: 12 }, () => random.below(5)), 0, 2, 0];
  const table = shardTable(await shardsOf(lengths), { counting: 'samples', lengths, heldPictures });
  const expected = lengths.flatMap((length, shard) => Array.from({ length }, (_, at) => ({ shard, at })));
  expect(table.length).toBe(expected.length);
  for (let draw = 0; draw < 200; draw++) {
    const index = random.below(expected.length);
    const { shard, at } = expected[index]!;
    expect(table.shardOf(index)).toBe(shard);
    expect(table.key(index)).toBe(`f${at % 2}/${at}`);
    expect([table.label(index), table.folder(index)]).toEqual([`${shard + at}`, `f${at % 2}/`]);
    const { file, offset, size } = table.place(index);
    expect(new TextDecoder().decode(await file.read(offset, size))).toBe('x'.repeat(shard));
  }
  for (const outside of [-1, expected.length, Number.NaN]) expect(() => table.key(outside)).toThrow(/count from 0/);
});

it('makes an index anew whose file has gone, and says so where there is no time for it', async () => {
  const lengths = [2, 2];
  const table = shardTable(await shardsOf(lengths), { counting: 'samples', lengths, heldPictures: 1 });
  rmSync(path.join(root, 'indices'), { recursive: true });
  expect(() => table.key(0)).toThrow(/index of .*0\.tar.* is gone or was changed .*start again/);
  await table.ready(0);
  expect(table.key(0)).toBe('f0/0');
  expect(readdirSync(path.join(root, 'indices'))).toHaveLength(1);
});

it('refuses a shard that is another one by then', async () => {
  const lengths = [2, 2];
  const table = shardTable(await shardsOf(lengths), { counting: 'samples', lengths, heldPictures: 1 });
  rmSync(path.join(root, 'indices'), { recursive: true });
  writeFileSync(path.join(root, '1.tar'), writeTar([{ name: 'other.jpg', body: 'x' }]));
  await expect(table.ready(3)).rejects.toThrow(/1\.tar (is not as it was|.*became shorter)/);
});
