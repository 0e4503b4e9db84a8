import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parquetOf, tarOf } from '../../test/archives';
import { serveHub } from '../../test/hub-server';
import type { LoopbackServer } from '../../test/loopback-server';
import { keysOf, labelsOf, readText, scratchFolder } from '../../test/scratch';
import type { ImageSource } from '../images/image-source';
import { type HubSourceOptions, hubSource } from './hub';
import { parseHubSpec } from './hub-spec';

let hub: LoopbackServer;
let cacheDir: string;
beforeEach(() => {
  cacheDir = scratchFolder();
});
afterEach(() => hub?.close());

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
/** A hub with one repository, `ada/flowers`. */
async function startHub(files: Record<string, Uint8Array>, oid?: string): Promise<void> {
  hub = await serveHub(files, oid);
}
async function open(address: string, options: HubSourceOptions = {}): Promise<ImageSource> {
  const source = await hubSource(address, { cacheDir, hubUrl: hub.url, http: { pauseMs: 1, retries: 1 }, ...options });
  onTestFinished(() => source.close?.());
  return source;
}
const downloads = (): string[] => hub.requests.filter((request) => request.includes('/resolve/'));

describe('hubSource', () => {
  it('fetches the parquet files of a split once, checked, and works offline afterwards', async () => {
    await startHub({
      'README.md': text('# flowers'),
      'data/test-00000-of-00001.parquet': parquetOf(['t']),
      'data/train-00001-of-00002.parquet': parquetOf(['b', 'c']),
      'data/train-00000-of-00002.parquet': parquetOf(['a']),
    });
    const progress: [number, number][] = [];
    const source = await open('hf://ada/flowers', { onProgress: (done, total) => progress.push([done, total]) });
    expect(keysOf(source)).toEqual([
      'train-00000-of-00002.parquet#0',
      'train-00001-of-00002.parquet#0',
      'train-00001-of-00002.parquet#1',
    ]);
    expect(await readText(source, 2)).toBe('c');
    const [done, total] = progress.at(-1)!;
    expect(done).toBe(total);

    await hub.close();
    const offline = await open('hf://ada/flowers');
    expect(offline.notes).toEqual([expect.stringMatching(/no network: .* as it was listed last time/)]);
    expect(await readText(offline, 1)).toBe('b');
    await expect(open('hf://ada/flowers:test')).rejects.toMatchObject({ code: 'no-network' });
  });

  it('opens the split that is named, and test where there is no validation', async () => {
    await startHub({ 'train.parquet': parquetOf(['a']), 'test.parquet': parquetOf(['t']) });
    expect(keysOf(await open('hf://datasets/ada/flowers@main:test'))).toEqual(['test.parquet#0']);
    expect(keysOf(await open('hf://ada/flowers', { split: 'val' }))).toEqual(['test.parquet#0']);
    await expect(open('hf://ada/flowers:extra')).rejects.toMatchObject({ code: 'not-found', message: /train, test/ });
  });

  it('reads a set that is too large to keep by ranges, keeping nothing', async () => {
    await startHub({ 'train.parquet': parquetOf(['a', 'b']) });
    const source = await open('hf://ada/flowers', { keepBytes: 10 });
    expect([await readText(source, 0), await readText(source, 1)]).toEqual(['a', 'b']);
    expect(downloads().at(-1)).toMatch(/ bytes=[1-9]\d*-\d+$/);
    expect(readdirSync(path.join(cacheDir, 'hub/ada--flowers'))).toEqual([expect.stringMatching(/^files-main@/)]);
  });

  it('reads tar shards', async () => {
    await startHub({ 'train/shard-0.tar': await tarOf({ '0.jpg': 'zero', '0.cls': '4' }) });
    for (const keepBytes of [1e9, 10]) {
      const source = await open('hf://ada/flowers', { keepBytes });
      expect([keysOf(source), source.classes, await readText(source, 0)]).toEqual([['shard-0.tar/0'], ['4'], 'zero']);
    }
  });

  it('fetches plain images when they are read, and keeps them', async () => {
    await startHub({
      'train/rose/1.jpg': text('one'),
      'train/tulip/2.jpg': text('two'),
      'test/rose/3.jpg': text('three'),
    });
    const source = await open('hf://ada/flowers');
    expect([keysOf(source), source.classes, labelsOf(source)]).toEqual([
      ['train/rose/1.jpg', 'train/tulip/2.jpg'],
      ['rose', 'tulip'],
      [0, 1],
    ]);
    expect(downloads()).toEqual([]);
    expect([await readText(source, 1), await readText(source, 1)]).toEqual(['two', 'two']);
    const before = downloads().length;
    expect(await readText(await open('hf://ada/flowers'), 1)).toBe('two');
    expect(downloads().length).toBe(before);
  });

  it('refuses content that does not have the hash it is listed with', async () => {
    await startHub({ 'train.parquet': parquetOf(['a']) }, 'ab'.repeat(32));
    await expect(open('hf://ada/flowers')).rejects.toMatchObject({ code: 'checksum' });
    expect(readdirSync(path.join(cacheDir, 'hub/ada--flowers'))).toEqual([expect.stringMatching(/^files-main@/)]);
  });

  it('does not take the listing of another hub for its own', async () => {
    await startHub({ 'train.parquet': parquetOf(['a']) });
    await open('hf://ada/flowers');
    await hub.close();
    await expect(open('hf://ada/flowers', { hubUrl: 'http://127.0.0.1:9' })).rejects.toMatchObject({
      code: 'no-network',
    });
  });

  it('passes over traces of systems, and says which other files it does not use', async () => {
    await startHub({
      'train/._a.parquet': text('trace'),
      'train/.hidden/b.parquet': text('trace'),
      'train/rose/1.jpg': text('one'),
      'train/rose/._1.jpg': text('trace'),
      'train/0.tar': await tarOf({ '0.jpg': 'zero' }),
      'train/2.bmp': text('two'),
    });
    const source = await open('hf://ada/flowers');
    expect(keysOf(source)).toEqual(['0.tar/0']);
    expect(source.notes).toEqual([
      '1 image files beside tar shards are not used, e.g. train/rose/1.jpg',
      '1 pictures are of types that are not used, e.g. train/2.bmp: convert them to JPEG or PNG',
    ]);
  });

  it('keeps files of the same base name apart', async () => {
    await startHub({ 'train/a/0.parquet': parquetOf(['a']), 'train/b/0.parquet': parquetOf(['b']) });
    await expect(open('hf://ada/flowers')).rejects.toMatchObject({ code: 'ambiguous-source' });
    await hub.close();
    await startHub({ 'train/a/0.jpg': text('a'), 'train/b/0.jpg': text('b') });
    expect(keysOf(await open('hf://ada/flowers'))).toEqual(['train/a/0.jpg', 'train/b/0.jpg']);
  });

  it('says what to check when the repository is not there', async () => {
    await startHub({});
    await expect(open('hf://ada/roses')).rejects.toMatchObject({ code: 'http-status', message: /404.*HF_TOKEN/ });
  });

  it('says so when a repository holds nothing usable', async () => {
    await startHub({ 'data.csv': text('x') });
    await expect(open('hf://ada/flowers')).rejects.toMatchObject({ code: 'empty-source' });
  });

  it('asks for the configuration when there are several', async () => {
    await startHub({ 'small/train.parquet': parquetOf(['s']), 'large/train.parquet': parquetOf(['l']) });
    await expect(open('hf://ada/flowers')).rejects.toMatchObject({
      code: 'ambiguous-source',
      message: /small, large|large, small/,
    });
    expect(await readText(await open('hf://ada/flowers:large/train'), 0)).toBe('l');
  });
});

describe('parseHubSpec', () => {
  it('parses owner, name, revision, configuration and split', () => {
    expect(parseHubSpec('hf://ada/flowers')).toEqual({ repo: 'ada/flowers', revision: 'main' });
    expect(parseHubSpec('hf://datasets/ada/flowers@refs/convert/parquet:small/test')).toEqual({
      repo: 'ada/flowers',
      revision: 'refs/convert/parquet',
      config: 'small',
      split: 'test',
    });
    expect(parseHubSpec('hf://mnist:train')).toEqual({ repo: 'mnist', revision: 'main', split: 'train' });
  });

  it('refuses anything else', () => {
    for (const text of ['hf://', 'hf://a/b/c', 'hf://a/b:c/d/e', 'hf://a b']) {
      expect(() => parseHubSpec(text)).toThrowError(expect.objectContaining({ code: 'spec' }));
    }
  });
});
