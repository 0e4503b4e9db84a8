import { expect, it } from 'vitest';
import { shortFileNames } from './short-file-names';

it('is the base name where that is enough', () => {
  expect(shortFileNames(['/data/a/00.tar', '/data/a/01.tar'])).toEqual(['00.tar', '01.tar']);
});

it('takes as many folders as tell files apart, for those files only', () => {
  expect(shortFileNames(['/d/a/x/0.tar', '/d/b/x/0.tar', '/d/b/y/0.tar', '/d/1.tar', '0.tar'])).toEqual([
    'a/x/0.tar',
    'b/x/0.tar',
    'y/0.tar',
    '1.tar',
    '0.tar',
  ]);
});

it('leaves out the query of an address, unless it is all that differs', () => {
  expect(shortFileNames(['https://a/0.tar?signature=1', 'https://a/1.tar?signature=2'])).toEqual(['0.tar', '1.tar']);
  expect(shortFileNames(['https://a/get?n=0.tar', 'https://a/get?n=1.tar'])).toEqual(['get?n=0.tar', 'get?n=1.tar']);
});

it('refuses a file that is given twice', () => {
  expect(() => shortFileNames(['a/0.tar', 'a/0.tar'])).toThrow(/a\/0\.tar is given twice/);
});
