import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { scratchFolder, writeFiles } from '../../test/scratch';
import { archivesAt } from './archives';
import { recogniseSource } from './recognise';

const written = (...names: string[]): string => {
  const root = scratchFolder();
  writeFiles(root, Object.fromEntries(names.map((name) => [name, name])));
  return root;
};

it('finds archives whatever the case of their endings, passing over traces of systems', async () => {
  const root = written('a/0.tar', '1.TAR', '._0.tar', '@eaDir/0.tar', '__MACOSX/a/._0.tar');
  const { files, notes } = await archivesAt(root, '.tar');
  expect(files).toEqual([path.join(root, '1.TAR'), path.join(root, 'a/0.tar')]);
  expect(notes).toEqual(['3 hidden names or traces of a system are passed over, e.g. ._0.tar']);
});

it('takes each archive once where links form loops', async () => {
  const root = written('a/0.tar', 'b/1.tar');
  symlinkSync(root, path.join(root, 'a/loop'));
  expect((await archivesAt(root, '.tar')).files).toEqual([path.join(root, 'a/0.tar'), path.join(root, 'b/1.tar')]);
});

it('says what it leaves out', async () => {
  const root = written('train-0.tar', 'extra.tar', 'train-1.tar.gz', 'more.tgz');
  symlinkSync('nowhere', path.join(root, 'train-2.tar'));
  expect((await archivesAt(root, '.tar')).notes).toEqual([
    '1 files beside those of split train speak of no split and are not used, e.g. extra.tar',
    '2 compressed archives are not used, e.g. more.tgz: unpack them',
    '1 files, folders or links could not be read, e.g. train-2.tar',
  ]);
});

it('is not what a folder is taken for that holds traces only', async () => {
  const root = written(
    'photos/1.jpg',
    'photos/._0.tar',
    'photos/._train-images-idx3-ubyte',
    'photos/.x/data_batch_1.bin',
  );
  expect((await recogniseSource(path.join(root, 'photos'))).kind).toBe('folder');
  const shards = written('0.tar', '._1.jpg', '@eaDir/2.jpg');
  expect((await recogniseSource(shards)).kind).toBe('tar');
});

it('is found where shards lie three folders deep', async () => {
  expect((await recogniseSource(written('a/b/c/0.tar', 'a/.hidden/1.jpg'))).kind).toBe('tar');
});
