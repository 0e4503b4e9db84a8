import { expect, test } from 'vitest';
import { correspondence, type MatchedPair } from './correspondence';

/** A pair whose key points have these errors by the protocol; PCK's are twice as large. */
function matched(category: number, errors: readonly number[]): MatchedPair {
  const values = Float64Array.from(errors);
  const pair = {
    name: 'p',
    category,
    points: [],
    sourceSize: [1, 1],
    targetSize: [1, 1],
    targetBox: [0, 0, 1, 1],
  } as const;
  const match = {
    cells: new Int32Array(errors.length),
    similarities: values,
    found: [],
    errors: values,
    pckErrors: values.map((error) => 2 * error),
    chance: values.map(() => 0.25),
  };
  return { pair, match };
}
const pairs = new Map([
  [0, matched(0, [0.04, 0.2, 0.3, 0.4])],
  [3, matched(0, [0.09, 0.1])],
  [5, matched(2, [0.02])],
  [6, matched(2, [])],
]);
const classes = ['cat', 'cow', 'dog'];

test('recall is pooled over the key points of a class, then averaged over the classes that have any', () => {
  const bins = [
    { name: 'd=0', pairs: [0, 3] },
    { name: 'd=2', pairs: [6] },
    { name: 'all', pairs: [0, 3, 5, 6] },
  ];
  const [near, all, ...more] = correspondence(pairs, bins, { classes, label: 'low', total: 9 });
  expect(more).toEqual([]);
  // 0.1 itself is no hit
  expect(near).toMatchObject({
    variant: 'd=0, low',
    value: 2 / 6,
    evaluated: 2,
    total: 9,
    perClass: [2 / 6, null, null],
  });
  expect(all).toMatchObject({ variant: 'all, low', evaluated: 4, perClass: [2 / 6, null, 1] });
  expect(all!.value).toBeCloseTo((2 / 6 + 1) / 2, 15);
  expect(all!.hyper).toMatchObject({ keyPoints: 7, threshold: 0.1, classes });
});

test('PCK is of key points, averaged over classes, and of pairs, averaged over all that have key points', () => {
  const [all] = correspondence(pairs, [{ name: 'all', pairs: [0, 3, 5, 6] }], { classes });
  expect(all!.variant).toBe('all');
  expect(all!.others['PCK@0.1']).toBeCloseTo((1 / 6 + 1) / 2, 15);
  expect(all!.others['PCK@0.05']).toBeCloseTo((0 + 1) / 2, 15);
  expect(all!.others['PCK@0.1 per pair']).toBeCloseTo((1 / 4 + 0 + 1) / 3, 15);
  expect(all!.others['PCK@0.15 per pair']).toBeCloseTo((1 / 4 + 0 + 1) / 3, 15);
  expect(all!.others['recall of a random cell']).toBe(0.25);
});

test('pairs that were not matched lower what was evaluated', () => {
  const [all] = correspondence(pairs, [{ name: 'all', pairs: [0, 1, 2, 3] }], { classes, total: 4 });
  expect(all).toMatchObject({ evaluated: 2, total: 4 });
});

test('a class without name is refused', () => {
  expect(() => correspondence(pairs, [{ name: 'all', pairs: [5] }], { classes: ['cat'] })).toThrow(
    /p is of class 2, there are 1/,
  );
});
