import { expect, test } from 'vitest';
import { pythonShuffle } from '../numerics/python-shuffle';
import { drawPairs } from './draw-pairs';

/** 12 pairs of class 1, then 9 of class 0, with viewpoints 0, 1, 2, 0, ... */
const pairs = Array.from({ length: 21 }, (_, i) => ({ category: Number(i < 12), viewpoint: i % 3 }));

test('few pairs are all taken, class by class', () => {
  const bins = drawPairs(pairs);
  expect(bins.map(({ name }) => name)).toEqual(['d=0', 'd=1', 'd=2', 'all']);
  expect(bins[1]!.pairs).toEqual([13, 16, 19, 1, 4, 7, 10]);
  expect(bins[3]!.pairs).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('of many, each class and bin has a draw of its own, and so has all', () => {
  const bins = drawPairs(pairs, { perBin: 3 });
  const order = (count: number) => [...pythonShuffle(count, 20)].slice(0, 3);
  const [none, , , all] = bins;
  expect(none!.pairs).toEqual([12, 15, 18, ...order(4).map((at) => 3 * at)]);
  expect(all!.pairs).toEqual([...order(9).map((at) => 12 + at), ...order(12)]);
  expect(drawPairs(pairs, { perBin: Number.POSITIVE_INFINITY })).toEqual(drawPairs(pairs));
});

test('bins without pairs are left out; pairs of no known viewpoint are in all only', () => {
  expect(drawPairs([{ category: 0 }, { category: 0, viewpoint: 2 }])).toEqual([
    { name: 'd=2', pairs: [1] },
    { name: 'all', pairs: [0, 1] },
  ]);
  expect(drawPairs([])).toEqual([]);
});

test('a draw of no pairs and a class that is none are refused', () => {
  expect(() => drawPairs(pairs, { perBin: 0 })).toThrow(/perBin is 0/);
  expect(() => drawPairs([{ category: -1 }])).toThrow(/category of pairs\[0\] is -1/);
});
