import { memorySource } from '@franca/data';
import { expect, test } from 'vitest';
import { type DataRecord, dataDifference, dataRecord, recordData } from './data-record';

const source = (keys: readonly string[], classes: readonly string[] = ['cat', 'dog']) =>
  memorySource(
    'pictures',
    keys.map((key) => ({ key, content: { encoded: new Uint8Array(0) } })),
    classes,
  );
const record = (train: readonly string[], val: readonly string[] = ['v'], classes?: readonly string[]): DataRecord =>
  recordData('photos', { train: source(train, classes), val: source(val) });
const keys = (count: number): string[] => Array.from({ length: count }, (_, i) => `a/${i}.jpg`);
const with17 = (count: number, name: string): string[] => keys(count).with(16, name);

test('the same names are the same data, also read back from a checkpoint', () => {
  const one = record(keys(1000));
  expect(dataDifference(dataRecord.parse(JSON.parse(JSON.stringify(one))), record(keys(1000)))).toBeUndefined();
});

test.each<[string, DataRecord, DataRecord, string]>([
  [
    'another name',
    record(keys(40)),
    record(with17(40, 'b.jpg')),
    'picture 17 was a/16.jpg and is b.jpg; there are 40, as before',
  ],
  ['another order', record(keys(2)), record(keys(2).reverse()), 'picture 1 was a/0.jpg and is a/1.jpg'],
  [
    'one more in front',
    record(keys(3)),
    record(['0', ...keys(3)]),
    'there were 3 pictures and are 4; picture 1 was a/0.jpg and is 0',
  ],
  ['one more behind', record(keys(3)), record(keys(4)), 'there were 3 pictures and are 4'],
  ['a name moved over its end', record(['ab', 'c']), record(['a', 'bc']), 'picture 1 was ab and is a'],
  [
    'another one of very many',
    record(keys(5000)),
    record(with17(5000, 'b')),
    'pictures of other names lie between those that are recorded; there are 5000',
  ],
  ['other held-out pictures', record(['a'], ['v']), record(['a'], ['w']), 'held-out picture 1 was v and is w'],
  [
    'other classes',
    record(['a'], ['v'], ['x', 'y']),
    record(['a'], ['v'], ['x', 'z']),
    'class 2 was y and is z; there are 2, as before',
  ],
])('%s is said', (_, before, now, message) => {
  expect(dataDifference(before, now)).toContain(message);
});

test('a generated world is told by what was asked for', () => {
  const world = (spec: string) => recordData(spec, { train: source(['0']), val: source(['0']) });
  expect(dataDifference(world('world:size=32'), world('world:size=64'))).toBe(
    'the data were world:size=32 and are world:size=64',
  );
});

test('of a million names a few hundred are kept', () => {
  const { train } = record(keys(1_000_000));
  expect(train.count).toBe(1_000_000);
  expect(train.some.length).toBeLessThanOrEqual(512);
});

test('of very many pictures the fingerprint of the source stands for their keys, of which only some are asked for', () => {
  let asked = 0;
  const key = (index: number): string => `${asked++ < 0 ? '' : index}`;
  const many = (hash: string): DataRecord => {
    const fingerprint = { files: 2000, images: 2e7, stretches: [{ first: '0.tar', hash }] };
    return recordData('shards', { train: { ...source(['0']), length: 2e7, fingerprint, key }, val: source(['v']) });
  };
  expect(dataDifference(many('a'), many('a'))).toBeUndefined();
  expect(dataDifference(many('a'), many('b'))).toContain('lie between those that are recorded');
  expect(asked).toBeLessThan(5000);
});
