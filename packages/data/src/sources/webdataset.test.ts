import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { tarOf } from '../../test/archives';
import { sendBytes, serve } from '../../test/loopback-server';
import { keysOf, labelsOf, readText, scratchFolder, versionsOf, writeFiles } from '../../test/scratch';
import { openHttpFile } from '../files/http-file';
import type { ImageSource } from '../images/image-source';
import { createSampler, type SamplerState } from '../loading/sampler';
import { holdOut } from '../loading/subset';
import { expandBraces, mixedInWindows, type WebDatasetOptions, webDatasetSource } from './webdataset';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});

const put = async (name: string, members: Record<string, string>): Promise<string> => {
  const file = path.join(root, name);
  writeFileSync(file, await tarOf(members));
  return file;
};
describe('webDatasetSource', () => {
  it('groups members by key: one image per sample, labelled by its .cls', async () => {
    const shard = await put('s.tar', {
      '000.cls': '7',
      '000.jpg': 'zero',
      '000.json': '{}',
      '001.png': 'one',
      '001.cls': ' 12\n',
      '002.txt': 'no image',
      '003.jpg': 'three',
      '003.other.jpg': 'a second image of sample 003',
      '004.JPEG': 'four',
      '004.cls': '7',
    });
    const source = await webDatasetSource([shard]);
    expect(keysOf(source)).toEqual(['s.tar/000', 's.tar/001', 's.tar/003', 's.tar/004']);
    expect(source.classes).toEqual(['7', '12']);
    expect(labelsOf(source)).toEqual([0, 1, undefined, 0]);
    expect(await Promise.all([0, 1, 2, 3].map((index) => readText(source, index)))).toEqual([
      'zero',
      'one',
      'three',
      'four',
    ]);
  });

  it('tells shards of the same base name apart, and refuses one that is given twice', async () => {
    mkdirSync(path.join(root, 'a'));
    mkdirSync(path.join(root, 'b'));
    const shards = [await put('a/0.tar', { '0.jpg': 'first' }), await put('b/0.tar', { '0.jpg': 'second' })];
    const source = await webDatasetSource(shards);
    expect(keysOf(source)).toEqual(['a/0.tar/0', 'b/0.tar/0']);
    await expect(webDatasetSource([...shards, shards[0]!])).rejects.toMatchObject({
      code: 'spec',
      message: expect.stringMatching(/a\/0\.tar is given twice/),
    });
  });

  it('keeps the order of the shards and knows the same key in two of them apart', async () => {
    await put('s-00.tar', { 'a.jpg': 'first' });
    await put('s-01.tar', { 'a.jpg': 'second' });
    const source = await webDatasetSource([path.join(root, 's-{00..01}.tar')]);
    expect(keysOf(source)).toEqual(['s-00.tar/a', 's-01.tar/a']);
    expect([await readText(source, 0), await readText(source, 1)]).toEqual(['first', 'second']);
  });

  it('takes folders inside the archive for classes when there is no .cls', async () => {
    const shard = await put('s.tar', { 'set/cat/1.jpg': 'x', 'set/dog/1.jpg': 'y' });
    const source = await webDatasetSource([shard]);
    expect([source.classes, labelsOf(source)]).toEqual([
      ['cat', 'dog'],
      [0, 1],
    ]);
  });

  it('labels by the class list it is given', async () => {
    const shard = await put('s.tar', { '0.jpg': 'x', '0.cls': '9', '1.jpg': 'y', '1.cls': '3' });
    expect(labelsOf(await webDatasetSource([shard], { classes: ['0', '3'] }))).toEqual([undefined, 1]);
  });

  it('does not believe absurd labels', async () => {
    const shard = await put('s.tar', { '0.jpg': 'x', '0.cls': '999999999999', '1.jpg': 'y', '1.cls': '-1e9' });
    const source = await webDatasetSource([shard]);
    expect([source.classes, labelsOf(source)]).toEqual([['999999999999'], [0, undefined]]);
  });

  it('uses a damaged shard up to the damage, and says so', async () => {
    const bytes = await tarOf({ '0.jpg': 'zero', '1.jpg': 'one' });
    bytes.fill(1, 1024, 1030);
    writeFileSync(path.join(root, 'bad.tar'), bytes);
    const source = await webDatasetSource([path.join(root, 'bad.tar'), await put('good.tar', { '2.jpg': 'two' })]);
    expect(keysOf(source)).toEqual(['bad.tar/0', 'good.tar/2']);
    expect(source.notes).toEqual([expect.stringMatching(/bad\.tar: no valid tar header at byte 1024/)]);
  });

  it('refuses shards without images, and shards that are not there', async () => {
    writeFileSync(path.join(root, 'text.tar'), 'this is not an archive, but it is longer than one block'.repeat(20));
    await expect(webDatasetSource([path.join(root, 'text.tar')])).rejects.toMatchObject({
      code: 'empty-source',
      message: expect.stringMatching(/no valid tar header/),
    });
    await expect(webDatasetSource([path.join(root, 'missing.tar')])).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('webDatasetSource over HTTP', () => {
  it('reads each image by its range, and its index only once', async () => {
    const bytes = await tarOf({ '0.jpg': 'zero', '0.cls': '1', '1.jpg': 'one' });
    const server = await serve((request, response) => sendBytes(request, response, bytes));
    try {
      const open = (): Promise<ImageSource> => webDatasetSource([`${server.url}/s.tar`], { cacheDir: root });
      const first = await open();
      expect(await readText(first, 1)).toBe('one');
      expect(server.requests.at(-1)).toBe('GET /s.tar bytes=2560-2562');
      const requests = server.requests.length;
      const second = await open();
      expect(server.requests.slice(requests)).toEqual(['GET /s.tar bytes=0-0']);
      expect([keysOf(second), labelsOf(second)]).toEqual([keysOf(first), labelsOf(first)]);
      expect(readdirSync(path.join(root, 'tar-index'))).toHaveLength(1);
    } finally {
      await server.close();
    }
  });
});

describe('the index of a remote shard', () => {
  it('is not served as older rules made it', async () => {
    const bytes = await tarOf({ '2024.06.01_0.png': 'zero', '2024.06.01_1.png': 'one' });
    const server = await serve((request, response) => sendBytes(request, response, bytes));
    try {
      // The name and content of the first form: one sample.
      const url = `${server.url}/s.tar`;
      const { version } = await openHttpFile(url);
      const older = createHash('sha256').update(`${url}\n${bytes.length}\n${version}`).digest('hex');
      const sample = { key: '2024', offset: 512, size: 4 };
      writeFiles(root, { [`tar-index/${older}.json`]: JSON.stringify({ samples: [sample] }) });
      const source = await webDatasetSource([url], { cacheDir: root });
      expect(keysOf(source)).toEqual(['s.tar/2024.06.01_0', 's.tar/2024.06.01_1']);
    } finally {
      await server.close();
    }
  });
});

describe('the index of a shard on disk', () => {
  const indices = (): string[] =>
    readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (name) => /index$/.test(name) && name.includes('.'),
    );
  /** Of a smaller shard none is kept. */
  const LARGE = 'x'.repeat(2 ** 18);
  /** The keys, and for each shard whether its index was there. */
  async function open(shards: readonly string[], options: WebDatasetOptions = { cacheDir: root }) {
    const there: boolean[] = [];
    const source = await webDatasetSource(shards, { ...options, onIndexing: (_, __, cached) => there.push(cached) });
    return { source, keys: keysOf(source), there };
  }

  it('is kept, and serves as long as the shard is the same', async () => {
    const shards = [await put('0.tar', { '0.jpg': LARGE, '0.cls': '4' }), await put('1.tar', { '1.jpg': LARGE })];
    const first = await open(shards);
    const second = await open(shards.map((shard) => path.relative(process.cwd(), shard)));
    expect([first.there, second.there]).toEqual([
      [false, false],
      [true, true],
    ]);
    expect([second.keys, labelsOf(second.source), second.source.notes]).toEqual([
      first.keys,
      labelsOf(first.source),
      first.source.notes,
    ]);
    expect(await versionsOf(second.source)).toEqual(await versionsOf(first.source));
    await put('1.tar', { '2.jpg': LARGE });
    const third = await open(shards);
    expect([third.there, third.keys]).toEqual([
      [true, false],
      ['0.tar/0', '1.tar/2'],
    ]);
    expect(indices()).toHaveLength(2);
  });

  it('is not kept of a small one', async () => {
    const shards = [await put('0.tar', { '0.jpg': 'x' })];
    expect([await open(shards), await open(shards)]).toMatchObject([{ there: [false] }, { there: [false] }]);
    expect(indices()).toEqual([]);
  });

  it('is made anew where it is damaged', async () => {
    const shards = [await put('0.tar', { '0.jpg': LARGE })];
    const { keys } = await open(shards);
    const [index] = indices();
    for (const content of ['', 'FRSHARD3', readFileSync(path.join(root, index!)).subarray(0, 90)]) {
      writeFileSync(path.join(root, index!), content);
      expect(await open(shards)).toMatchObject({ there: [false], keys });
    }
    expect((await open(shards)).there).toEqual([true]);
  });

  it('lies beside the shard for those who ask for that, and is used by all', async () => {
    const shards = [await put('0.tar', { '0.jpg': LARGE })];
    await open(shards, { indexBeside: true });
    expect(indices()).toEqual(['0.tar.franca-index']);
    expect((await open(shards, {})).there).toEqual([true]);
    expect((await open([`${root}/0.tar`], { cacheDir: path.join(root, 'cache') })).there).toEqual([true]);
    expect(indices()).toHaveLength(1);
  });

  it('stays in memory where it cannot be written, which is said', async () => {
    const shards = [await put('0.tar', { '0.jpg': LARGE })];
    const { source, keys } = await open(shards, { cacheDir: shards[0]! });
    expect(keys).toEqual(['0.tar/0']);
    expect(source.notes).toEqual([
      expect.stringMatching(/indices of 1 shards could not be written .* give a cacheDir/),
    ]);
  });
});

describe('a place in the order of shards', () => {
  const shardsIn = async (folder: string, names: readonly string[]): Promise<string[]> => {
    mkdirSync(path.join(root, folder));
    const members = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`${at}.jpg`, folder]));
    return Promise.all(names.map((name) => put(`${folder}/${name}.tar`, members)));
  };
  const samplerOf = ({ length, fingerprint }: ImageSource, from?: SamplerState) =>
    createSampler({ length, seed: 3, data: fingerprint }, from);
  const names = Array.from({ length: 20 }, (_, shard) => `s${shard}`);

  it('is the same when the shards are indexed anew elsewhere, with times and contents of their own', async () => {
    const here = await webDatasetSource(await shardsIn('a', names), { cacheDir: root });
    const there = await webDatasetSource(await shardsIn('there', names));
    const saved: SamplerState = JSON.parse(JSON.stringify(samplerOf(here).state(7)));
    const sampler = samplerOf(there, saved);
    expect(sampler.state().drawn).toBe(7);
    expect(there.key(sampler.draw(7).index)).toBe(here.key(samplerOf(here).draw(7).index));
  });

  it('is refused when shards came, went or changed, and says which', async () => {
    const saved = samplerOf(await webDatasetSource(await shardsIn('a', names))).state(7);
    const other = async (folder: string, list: readonly string[], change?: () => Promise<unknown>) => {
      const shards = await shardsIn(folder, list);
      await change?.();
      return webDatasetSource(shards);
    };
    const more = await other('b', [...names, 's99']);
    expect(() => samplerOf(more, saved)).toThrow(/there were 20 shards with 100 images and are 21 with 105/);
    const renamed = await other('c', names.with(7, 't7'));
    expect(() => samplerOf(renamed, saved)).toThrow(
      /20 shards as before, but shard 8 \(from t7.tar, which was s7.tar\) holds other images/,
    );
    const changed = await other('d', names, () => put('d/s19.tar', { '9.jpg': 'x' }));
    expect(() => samplerOf(changed, saved)).toThrow(
      /one of shards 19 to 20 \(from s18.tar\) holds other images; 100 images in all were and 96 are/,
    );
    expect(() => samplerOf(holdOut(more).train, samplerOf(more).state(1))).toThrow(
      /they were all images and are all but 11/,
    );
  });

  it('of a version without fingerprints is taken as before, unless its order was over all of very many', async () => {
    const source = await webDatasetSource(await shardsIn('a', names));
    const { data: _, ...old } = samplerOf(source).state(7);
    expect(samplerOf(source, old).state().drawn).toBe(7);
    const runs = new Array(20).fill(5);
    expect(() => createSampler({ length: 100, seed: 3, runs, data: source.fingerprint }, old)).toThrow(/no windows/);
  });

  it('counts in windows of many shards above 2^24 images, and in an order over all of them below', () => {
    expect(mixedInWindows(new Float64Array(1600).fill(10_000))).toBeUndefined();
    const { runs, window } = mixedInWindows(new Float64Array(2000).fill(10_000))!;
    expect([runs.length, runs[0], window / 10_000]).toEqual([2000, 10_000, expect.closeTo(210, -1)]);
  });
});

describe('expandBraces', () => {
  it('counts with the padding of the first number', () => {
    expect(expandBraces('a-{08..11}.tar')).toEqual(['a-08.tar', 'a-09.tar', 'a-10.tar', 'a-11.tar']);
    expect(expandBraces('{0..1}/{0..1}.tar')).toEqual(['0/0.tar', '0/1.tar', '1/0.tar', '1/1.tar']);
    expect(expandBraces('plain.tar')).toEqual(['plain.tar']);
  });

  it('refuses a range that is none', () => {
    expect(() => expandBraces('{5..2}.tar')).toThrow(/not a range/);
    expect(() => expandBraces('{0..99999999999}.tar')).toThrow(/not a range/);
  });
});
