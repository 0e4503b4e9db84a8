import { deflateSync, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { matFile } from '../../test/mat-files';
import { DataError } from '../errors';
import { type MatValue, readMatFile } from './mat-file';

/**
 * Written by scipy.io.savemat 1.17, compressed: a structure array like those of Stanford Cars, cells of texts (stored as UTF-8), numbers of several types, a text of two
 * rows, nested structures, and kinds that are not read.
 */
const SCIPY = Buffer.from(
  'TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFN1biBOb3YgMjkgMDA6MDE6MzMgMjAyNgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAAqwAAAHic42NgYAhgZmBgA9IcQMzEAAGsUD4jEDNDaW4gTszLyy9JLMnMzyuGqmOBq1MA4qSk/Ir4CkOG5JzEYpCKtLzE3FQgXZJaXAJSzwfEBgwI+zix2AfDDGD3MDKoY9HHTUAfC1AnH1SfA5I+Fiz6OJH0CUD5BkBgqJdVkA4VB5ljgWQOGwH7OaHiEPDAnhx/a5Dpb34K/W00wP7WJNPfAhT625iK/gYAkggexw8AAABxAAAAeJzjY2BguAHEbEDMAcSMDBDAisRngtLcQJyck1hcHJ+XmJtaDFbHB8QBSPpZsOiXQjJXAMp39FVwT81LLUrMUfAozc1NLVIIDg1TMDIwMGCAm+tAwFweNHP5gdg5s6Qo//DqPAVnE4VHM5oZAJQPFYMPAAAANQAAAHic42NgYAgAYjYg5gBiPgYIYIXymaCYkYGZIdPMhIEHyFYA8yGAGUr/+w8BYA5QEgC6RwmLDwAAADQAAAB4nONjYGBwAGI2IOYAYnYGCGCF8hmBmBlMMzOkGRuB5XnAKg7YMzAoALUmgLQzAABJZgNWDwAAADYAAAB4nONjYGBwAGI2IOYAYi4GCGCF8pmAmBmIGYFkpqEZmM0DxH//MzD8+8/I8P8/E1g9AHpOB1YPAAAAJQAAAHic42NgYLAAYjYg5oDSIMAK5cMAI1QsNbegpBJIc0LFATX/AqYPAAAAJQAAAHic42NgYDAAYjYg5gBiFgYIYIXyYYARKJOXn5cqAOUDACQ2AiMPAAAAMAAAAHic42NgYLAAYjYg5gBiFgYIYIXymYCYGYgZgTJF+eXFAlC1iSlJqclpDAwARrEEpg8AAAArAAAAeJzjY2Bg8ABiNiDmANEgAghYoXxGOGZkqALSnFBxCPhgj8pncAAATiECjw8AAAAqAAAAeJzjY2BgMABiNiDmAGJOJgYwYIXyGYGYCUyzMKTlJKYzAXkgMQAkOwIMDwAAAFgAAAB4nONjYGAQYGRgYAPSHEDMxAABrFA+IxIGqclLLS5JTQHJs4DVMgLJRCDNB8QnGIgzByKO0J8E1d9Bpv5kqH4PJP18WPQzI+nnAWIJBgSAicPsBQCZxAZwDwAAAEAAAAB4nONjYGBoAGI2IOYAYlYgZobSHFA2CDNC1RQXJBYVp0LkeRggACTHBGWDxAXQxEH6OYFYggEGPtij0wBrQwcq',
  'base64',
);

/** Everything in it as plain arrays. */
function plain(value: MatValue | undefined): unknown {
  switch (value?.kind) {
    case 'numbers':
      return { sizes: value.sizes, values: [...value.values] };
    case 'text':
      return value.rows;
    case 'cells':
      return value.cells.map(plain);
    case 'structs':
      return value.records.map((record) => Object.fromEntries(Object.entries(record).map(([k, v]) => [k, plain(v)])));
    default:
      return value?.what;
  }
}
const one = (value: number) => ({ sizes: [1, 1], values: [value] });

test('what another program wrote', () => {
  const file = readMatFile(SCIPY, 'a.mat');
  expect(plain(file.annotations)).toEqual(
    [0, 1, 2].map((i) => ({ bbox_x1: one(39 + i), class: one(14 + i), fname: [`0000${i + 1}.jpg`], test: one(0.5) })),
  );
  expect(plain(file.class_names)).toEqual([['AM General Hummer SUV 2000'], ['Citroën C4 \u2603']]);
  expect(plain(file.i64)).toEqual({ sizes: [2, 2], values: [1, 3, -2, 2 ** 40] });
  expect(plain(file.f32)).toEqual({ sizes: [1, 3], values: [1.5, 2.5, 3.5] });
  expect(plain(file.i16)).toEqual({ sizes: [2, 3], values: [-3, 0, -2, 1, -1, 2] });
  expect(plain(file.empty)).toEqual({ sizes: [0, 0], values: [] });
  expect([plain(file.none), plain(file.rows)]).toEqual([[], ['abc', 'def']]);
  expect([plain(file.z), plain(file.sparse)]).toEqual(['a complex matrix', 'a sparse matrix']);
  expect(plain(file.flag)).toEqual({ sizes: [1, 2], values: [1, 0] });
  expect(plain(file.nested)).toEqual([{ a: [{ b: [{ c: { sizes: [1, 3], values: [0, 1, 2] } }] }] }]);
  expect(file.toString).toBeUndefined();
});

const VARIABLES = {
  annotations: { records: [1, 2].map((i) => ({ fname: `${i}.jpg`, class: i, box: [1, 300, 0.5] })) },
  names: { cells: ['a b', 'c', { cells: ['d', 7] }] },
  matrix: { sizes: [2, 2], values: Float32Array.of(1, 2, 3, 4) },
  __proto__of: 'x',
};

test.each([{}, { compressed: true }, { bigEndian: true }, { bigEndian: true, compressed: true }])(
  'files of either byte order, compressed or not: %o',
  (options) => {
    const file = readMatFile(matFile(VARIABLES, options), 'a.mat');
    expect(plain(file.annotations)).toEqual(
      [1, 2].map((i) => ({ fname: [`${i}.jpg`], class: one(i), box: { sizes: [1, 3], values: [1, 300, 0.5] } })),
    );
    expect(plain(file.names)).toEqual([['a b'], ['c'], [['d'], one(7)]]);
    expect(plain(file.matrix)).toEqual({ sizes: [2, 2], values: [1, 2, 3, 4] });
  },
);

const word = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
const file = (...elements: Buffer[]): Buffer => Buffer.concat([matFile({}), ...elements]);
const element = (type: number, ...data: Buffer[]): Buffer => {
  const bytes = Buffer.concat(data);
  return Buffer.concat([word(type, bytes.length), bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
};
/** A matrix of a class with these sizes, whatever follows. */
const matrix = (kind: number, sizes: number[], ...rest: Buffer[]): Buffer =>
  element(14, element(6, word(kind, 0)), element(5, word(...sizes)), element(1, Buffer.from('x')), ...rest);
const nested = (depth: number): Buffer => (depth === 0 ? matrix(6, [0, 0]) : matrix(1, [1, 1], nested(depth - 1)));
const LONG = Buffer.alloc(2 ** 24 + 1, 'a');
const noFields = [element(5, word(32)), element(1)];

test.each<[string, Buffer, RegExp]>([
  ['nothing', Buffer.alloc(0), /a.mat is no MATLAB file of version 5 to 7/],
  ['HDF5 inside', Buffer.from('MATLAB 7.3 MAT-file'.padEnd(200)), /is a MATLAB file of version 7.3; save it with -v7/],
  ['half a file', SCIPY.subarray(0, 700), /is damaged \(an element of \d+ bytes where \d+ follow\)/],
  ['half a tag', Buffer.concat([SCIPY, Buffer.alloc(4)]), /is damaged \(an element begins where 4 bytes follow\)/],
  ['compressed bytes that are none', file(element(15, Buffer.alloc(16, 7))), /is damaged/],
  ['more than unpacks', file(element(15, deflateSync(Buffer.alloc(2 ** 27 + 1)))), /unpacks to more than/],
  ['a text without end', file(matrix(4, [2 ** 24 + 1, 1], element(2, LONG))), /more than 16777216 bytes of text/],
  [
    'fields without end',
    file(matrix(2, [1, 0], element(5, word(1)), element(1, LONG))),
    /more than 16777216 bytes of text/,
  ],
  ['a forged size', file(matrix(6, [1 << 30, 1 << 30], element(2, Buffer.alloc(8)))), /8 bytes where sizes say/],
  ['forged cells', file(matrix(1, [1 << 30, 1])), /an element begins where 0 bytes follow/],
  ['forged records', file(matrix(2, [1 << 30, 1], ...noFields)), /1073741824 structures without fields/],
  ['negative sizes', file(matrix(6, [-1, -4], element(2, Buffer.alloc(4, 1)))), /a matrix of sizes -1 x -4/],
  [
    'fewer values than there are',
    file(matrix(1, [1, 1], matrix(6, [0, 0]), matrix(6, [0, 0]))),
    /holds more than that/,
  ],
  ['an abyss', file(nested(40)), /nest deeper than 32/],
  ['a large integer', file(matrix(14, [1, 1], element(12, word(1, 1 << 30)))), /is too large to be exact/],
])('%s', (_, bytes, message) => {
  expect(() => readMatFile(bytes, 'a.mat')).toThrow(message);
  expect(() => readMatFile(bytes, 'a.mat')).toThrow(DataError);
});

test('rows without characters are none, however many', () => {
  expect(plain(readMatFile(file(matrix(4, [1 << 30, 0])), 'a.mat').x)).toEqual([]);
});

test('no byte of a file makes it anything but a file or a damaged one', () => {
  const inflated: Buffer[] = [SCIPY.subarray(0, 128)];
  for (let at = 128; at < SCIPY.length; at += 8 + SCIPY.readUInt32LE(at + 4))
    inflated.push(inflateSync(SCIPY.subarray(at + 8, at + 8 + SCIPY.readUInt32LE(at + 4))));
  const bytes = Buffer.concat(inflated);
  expect(readMatFile(bytes, 'a.mat')).toEqual(readMatFile(SCIPY, 'a.mat'));
  let damaged = 0;
  for (let at = 128; at < bytes.length; at++) {
    bytes[at]! ^= 0xff;
    try {
      readMatFile(bytes, 'a.mat');
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      damaged++;
    }
    bytes[at]! ^= 0xff;
  }
  expect(damaged).toBeGreaterThan(bytes.length / 4);
});
