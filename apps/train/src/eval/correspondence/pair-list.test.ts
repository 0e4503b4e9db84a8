import { expect, test } from 'vitest';
import type { SetPair } from '../../image-sets/pair-set';
import { hashPairList, readPairList, writePairList } from './pair-list';

const pair = (name: string, viewpoint?: number): SetPair => ({
  name,
  category: 0,
  viewpoint,
  source: 0,
  target: 1,
  sourceSize: [1, 1],
  targetSize: [1, 1],
  points: [],
  targetBox: [0, 0, 1, 1],
});
const pairs = [pair('a:cat', 0), pair('b c', 1), pair('d')];
const read = (text: string) => readPairList(text, 'list.txt', pairs);

test('a list that was written is read again', () => {
  const bins = [
    { name: 'd=1', pairs: [1] },
    { name: 'all', pairs: [2, 0] },
  ];
  const text = writePairList(bins, pairs);
  expect(text).toBe('d=1 b c\nall d\nall a:cat\n');
  expect(read(text)).toEqual(bins);
  expect(hashPairList(read(text), pairs)).toBe(hashPairList(bins, pairs));
  expect(hashPairList(bins.slice(1), pairs)).not.toBe(hashPairList(bins, pairs));
});

test('a name alone is in all and in the figure of its viewpoint', () => {
  expect(read('# mine\n\nb c\r\nd\n')).toEqual([
    { name: 'd=1', pairs: [1] },
    { name: 'all', pairs: [1, 2] },
  ]);
});

test.each([
  ['a:cat\nnobody', /list.txt, line 2: there is no pair nobody/],
  ['a:cat\nall a:cat', /line 2: a:cat comes a second time/],
  ['d=0 b c', /line 1: b c is no pair of d=0, but of d=1/],
  ['d=0 d', /line 1: d is no pair of d=0$/],
  ['# nothing\n', /list.txt names no pair/],
])('%j is refused', (text, message) => {
  expect(() => read(text)).toThrow(message);
});
