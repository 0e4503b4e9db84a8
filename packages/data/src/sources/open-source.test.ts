import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parquetOf, tarOf } from '../../test/archives';
import { sendBytes, serve } from '../../test/loopback-server';
import { keysOf, labelsOf, readText, scratchFolder, writeFiles } from '../../test/scratch';
import { openSource } from './open-source';
import { recogniseSource } from './recognise';
import type { OpenOptions } from './source-kind';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});
const put = (...files: string[]): void => writeFiles(root, Object.fromEntries(files.map((file) => [file, file])));
const kindOf = async (spec: string): Promise<string> => (await recogniseSource(spec)).kind;
const open = async (spec: string, options: OpenOptions = {}): Promise<string[]> => {
  const source = await openSource(spec, { cacheDir: root, ...options });
  onTestFinished(() => source.close?.());
  await source.read(0);
  return keysOf(source);
};

describe('recogniseSource', () => {
  it('takes a folder for what it holds', async () => {
    put(
      'photos/a/1.jpg',
      'in1k/train/n01/1.JPEG',
      'in1k/val/n01/2.JPEG',
      'shards/deep/0.tar',
      'hub/data/train-0.parquet',
    );
    put('c10/data_batch_1.bin', 'mnist/train-images-idx3-ubyte.gz');
    const kinds = ['photos', 'in1k', 'shards', 'hub', 'c10', 'mnist'].map((name) => kindOf(path.join(root, name)));
    expect(await Promise.all(kinds)).toEqual(['folder', 'splits', 'tar', 'parquet', 'benchmark', 'idx']);
  });

  it('takes a file for what its name says', async () => {
    put('a.tar', 'b.parquet', 'c.txt', 'd-images-idx3-ubyte');
    const kinds = ['a.tar', 'b.parquet', 'c.txt', 'd-images-idx3-ubyte', 's-{00..11}.tar'].map((name) =>
      kindOf(path.join(root, name)),
    );
    expect(await Promise.all(kinds)).toEqual(['tar', 'parquet', 'list', 'idx', 'tar']);
  });

  it('takes addresses and official strings by their form', async () => {
    const specs = [
      'hf://ada/flowers',
      'https://x.org/s-{0..9}.tar?sig=1',
      'http://x.org/a.parquet',
      'ImageNet:split=TRAIN:root=/x',
    ];
    expect(await Promise.all(specs.map(kindOf))).toEqual(['hub', 'tar', 'parquet', 'official']);
  });

  it('believes an explicit kind', async () => {
    put('x/1.jpg', 'x/2.tar');
    expect(await recogniseSource(`tar:${root}/x`)).toMatchObject({ kind: 'tar', target: `${root}/x` });
  });

  it('asks when a folder could mean several things', async () => {
    put('x/1.jpg', 'x/2.tar');
    await expect(recogniseSource(path.join(root, 'x'))).rejects.toMatchObject({
      code: 'ambiguous-source',
      message: expect.stringMatching(/tar:\S+ \(.*\) or folder:\S+ \(.*\): say which/),
    });
  });

  it.each([
    ['photo.jpg', /this is one image/],
    ['flowers.tgz', /unpack it/],
    ['pictures.zip', /unpack this archive/],
    ['model.safetensors', /not a kind of data set/],
  ])('advises on %s', async (name, advice) => {
    put(name);
    await expect(recogniseSource(path.join(root, name))).rejects.toMatchObject({
      code: 'unsupported-format',
      message: expect.stringMatching(advice),
    });
  });

  it('passes through to the one data set with parts that a folder holds, and says so', async () => {
    put('archive/mydata/train/a/1.jpg', 'archive/mydata/val/a/2.jpg', 'archive/README.md');
    const inner = path.join(root, 'archive/mydata');
    expect(await recogniseSource(path.join(root, 'archive'))).toMatchObject({
      kind: 'splits',
      target: inner,
      note: /stands for/,
    });
    put('yolo/images/train/1.jpg', 'yolo/images/val/2.jpg', 'yolo/labels/train/1.txt', 'yolo/labels/val/2.txt');
    expect(await recogniseSource(path.join(root, 'yolo'))).toMatchObject({ target: path.join(root, 'yolo/images') });
    put('up/x/Training/a/1.jpg', 'up/x/Testing/a/2.jpg');
    expect(await recogniseSource(path.join(root, 'up'))).toMatchObject({ target: path.join(root, 'up/x') });
    writeFiles(root, {
      'tars/x/train/0.tar': await tarOf({ '0.jpg': 'a' }),
      'tars/x/val/0.tar': await tarOf({ '1.jpg': 'a' }),
    });
    expect(await open(path.join(root, 'tars'), { split: 'val' })).toEqual(['0.tar/1']);
  });

  it.each([
    [
      'two data sets',
      ['x/train/a/1.jpg', 'x/val/a/1.jpg', 'y/train/a/1.jpg'],
      /holds several folders with parts .*give \S+x or \S+y or folder:/,
    ],
    [
      'classes with parts each',
      ['cat/train/1.jpg', 'cat/test/2.jpg', 'dog/train/3.jpg', 'dog/test/4.jpg'],
      /several folders with parts/,
    ],
    ['a data set and other images', ['x/train/a/1.jpg', 'more/1.jpg'], /parts in \S+x and other data in \S+more; give/],
    [
      'parts of which none is for training',
      ['val/a/1.jpg', 'test/a/2.jpg'],
      /holds val and test but no train; give \S+val or \S+test/,
    ],
    ['a class called train', ['bus/1.jpg', 'train/2.jpg'], /images in bus too: write splits:\S+ .* or folder:/],
    [
      'classes beside a val folder',
      ['a/1.jpg', 'b/2.jpg', 'val/a/3.jpg'],
      /holds val and a, b but no train folder; give \S+val or folder:/,
    ],
    [
      'several data sets in shards',
      ['x/train-0.tar', 'x/val-0.tar', 'y/train-0.tar', 'y/val-0.tar'],
      /several data sets .*give \S+x or \S+y/,
    ],
  ])('asks for the folder that is meant: %s', async (_, files, message) => {
    put(...files);
    await expect(openSource(root)).rejects.toMatchObject({
      code: 'ambiguous-source',
      message: expect.stringMatching(message),
    });
  });

  it('says which images beside the parts are not used', async () => {
    put('train/a/1.jpg', 'val/a/2.jpg', 'unlabelled/3.jpg', 'docs/x.txt');
    expect((await openSource(root)).notes).toEqual([expect.stringMatching(/images in unlabelled are not used/)]);
  });

  it('lists what there could be when there is nothing', async () => {
    await expect(recogniseSource('/no/such/path')).rejects.toMatchObject({
      code: 'not-found',
      message: /hf:\/\/owner\/name/,
    });
  });
});

describe('openSource', () => {
  it('opens folders, parts of folders, and lists', async () => {
    put('photos/a/1.jpg', 'photos/b/2.jpg', 'set/train/a/1.jpg', 'set/val/a/2.jpg');
    writeFiles(root, { 'list.txt': 'photos/b/2.jpg\n' });
    expect(await open(path.join(root, 'photos'))).toEqual(['a/1.jpg', 'b/2.jpg']);
    expect(await open(path.join(root, 'set'))).toEqual(['a/1.jpg']);
    expect(await open(path.join(root, 'set'), { split: 'val' })).toEqual(['a/2.jpg']);
    expect(await open(path.join(root, 'list.txt'))).toEqual(['photos/b/2.jpg']);
    expect(await open(`ImageNet:split=VAL:root=${root}/set`)).toEqual(['a/2.jpg']);
  });

  it('opens shards and parquet files of a split, by their names', async () => {
    writeFiles(root, {
      's/train-0.tar': await tarOf({ 'a.jpg': 'x' }),
      's/val-0.tar': await tarOf({ 'b.jpg': 'x' }),
      'p/train-0.parquet': parquetOf(['a']),
      'p/test-0.parquet': parquetOf(['b']),
      'plain/x/0.tar': await tarOf({ 'c.jpg': 'x' }),
    });
    expect(await open(`${root}/s`)).toEqual(['train-0.tar/a']);
    expect(await open(`${root}/s`, { split: 'val' })).toEqual(['val-0.tar/b']);
    expect(await open(`${root}/p`, { split: 'val' })).toEqual(['test-0.parquet#0']);
    expect(await open(`LAION:root=${root}/plain`)).toEqual(['0.tar/c']);
    await expect(open(`${root}/plain`, { split: 'val' })).rejects.toMatchObject({ code: 'not-found' });
    writeFiles(root, {
      'q/train.parquet': parquetOf(['a', 'b'], [4, 7]),
      'q/test.parquet': parquetOf(['c', 'd'], [9, 7]),
    });
    const alone = await openSource(`${root}/q`, { split: 'val' });
    expect([alone.classes, labelsOf(alone), alone.unlistedClass?.(0)]).toEqual([['4', '7'], [undefined, 1], '9']);
    await alone.close?.();
  });

  it('opens the generated world, with its options', async () => {
    expect(await open('world:length=3:size=8:classes=2', { split: 'val' })).toEqual(['val/0', 'val/1', 'val/2']);
    await expect(open('world:length=many')).rejects.toMatchObject({ code: 'spec', message: /length=many/ });
  });

  it('opens the flower photographs that were fetched before, with whom to credit', async () => {
    put('flower_photos/roses/1.jpg', 'flower_photos/tulips/2.jpg', 'flower_photos/LICENSE.txt');
    const source = await openSource('flowers', { cacheDir: root });
    expect(keysOf(source)).toEqual(['roses/1.jpg', 'tulips/2.jpg']);
    expect(source.attribution).toMatch(/CC BY 2\.0/);
  });

  it('opens archives behind HTTP', async () => {
    const files: Record<string, Uint8Array> = {
      '/s.tar': await tarOf({ 'a.jpg': 'x' }),
      '/p.parquet': parquetOf(['b']),
    };
    const server = await serve((request, response) => sendBytes(request, response, files[request.url!]!));
    onTestFinished(() => server.close());
    expect(await open(`${server.url}/s.tar`)).toEqual(['s.tar/a']);
    const source = await openSource(`${server.url}/p.parquet`);
    expect(await readText(source, 0)).toBe('b');
    await source.close?.();
  });

  it('shows its credentials to every server of archives', async () => {
    const files: Record<string, Uint8Array> = {
      '/s.tar': await tarOf({ 'a.jpg': 'x' }),
      '/p.parquet': parquetOf(['b']),
    };
    const server = await serve((request, response) =>
      request.headers.authorization === 'Bearer key'
        ? sendBytes(request, response, files[request.url!]!)
        : response.writeHead(401).end(),
    );
    onTestFinished(() => server.close());
    const http = { headers: { authorization: 'Bearer key' } };
    expect(await open(`${server.url}/s.tar`, { http })).toEqual(['s.tar/a']);
    expect(await open(`${server.url}/p.parquet`, { http })).toEqual(['p.parquet#0']);
  });
});
