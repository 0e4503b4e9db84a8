import path from 'node:path';
import { expect, it } from 'vitest';
import { scratchFolder, writeFiles } from '../../test/scratch';
import { DataError, isImageError } from '../errors';
import { imageReadError, openLocalFile, readImageFile } from './byte-file';
import { fileVersion } from './file-version';

it.each([
  ['EIO', 'unreadable-now'],
  ['EMFILE', 'unreadable-now'],
  ['ESTALE', 'unreadable-now'],
  ['EACCES', 'unreadable-image'],
  ['ENOENT', 'unreadable-image'],
])('%s while an image is read is %s', (code, expected) => {
  const error = imageReadError(Object.assign(new Error(`${code}: read`), { code }));
  expect(error.code).toBe(expected);
  expect(isImageError(error)).toBe(true);
});

it('what is wrong with the bytes stays what it is, and damage lasts', () => {
  const corrupt = new DataError('corrupt-image', 'x');
  expect(imageReadError(corrupt)).toBe(corrupt);
  expect(imageReadError(new DataError('damaged-file', 'short')).code).toBe('unreadable-image');
});

it('what is no file is said, and has a version too', async () => {
  const root = scratchFolder();
  writeFiles(root, { 'a/1.jpg': '1' });
  const missing = path.join(root, 'b.jpg');
  await expect(readImageFile(missing)).rejects.toThrow('not a readable file (ENOENT)');
  await expect(openLocalFile(path.join(root, 'a'))).rejects.toThrow('no regular file');
  expect([await fileVersion(missing), await fileVersion(path.join(root, 'a'))]).toEqual(['ENOENT', 'no regular file']);
});
