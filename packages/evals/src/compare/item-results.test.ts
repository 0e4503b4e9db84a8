import { expect, test } from 'vitest';
import { cpuBackend } from '../backend/cpu';
import { accuracy, meanPerClassAccuracy, tally } from '../metrics/accuracy';
import { auroc } from '../metrics/roc';
import { pooledCounts, scoreCounts } from '../metrics/segmentation';
import { random } from '../numerics/random';
import { classCounts } from './class-counts';
import { classHitItems, countItems, hitItems, readItemResults, scoreItems, valueItems } from './item-results';
import { itemsValue } from './paired-difference';

const draws = random(3);
const drawn = (count: number, limit: number) => Int32Array.from({ length: count }, () => draws.integer(limit));

test('what items gave makes the value that the evaluation reports, after JSON too', async () => {
  const [predicted, labels] = [drawn(101, 4), drawn(101, 4)];
  const counts = tally(predicted, labels, 4);
  const through = (items: object) => JSON.parse(JSON.stringify(items));
  expect(itemsValue(through(hitItems(predicted, labels)))).toBe(accuracy(counts));
  // f32 of each of 101 values: 2^-24 of the largest of them, which is below 101
  expect(Math.abs(itemsValue(through(classHitItems(predicted, labels))) - meanPerClassAccuracy(counts))).toBeLessThan(
    101 * 2 ** -24,
  );
  const [inside, outside] = [
    [0.5, 1 - 1e-12, 1],
    [1 - 1e-9, 0.5],
  ];
  const scores = through(scoreItems(inside, outside));
  expect(itemsValue(scores)).toBe(auroc({ positive: inside, negative: outside }));

  const scoring = { classes: 5, ignore: 255, absent: 'skip', averageOver: [0, 2, 3, 4] } as const;
  const pooled = pooledCounts(cpuBackend, scoring);
  const images = [];
  for (let image = 0; image < 3; image++) {
    const target = drawn(40, 4).map((value) => (value === 3 ? 255 : value));
    images.push(classCounts(await pooled.add(drawn(40, 3), target), 5));
  }
  expect(itemsValue(through(countItems(images, scoring)))).toBeCloseTo(scoreCounts(pooled.counts, scoring).miou, 12);
});

test('an item with several labels is right with any of them, one without is not scored', () => {
  const read = readItemResults(hitItems([3, 5, 1], [[1, 3], [4], []]));
  expect(read).toEqual({ kind: 'hits', items: 2, hits: Uint8Array.of(1, 0) });
});

test('results that were forged or cut are refused before anything of their length is made', () => {
  const values = valueItems([1, 2, 3]);
  const scores = scoreItems([1, 2], [3]);
  const counts = countItems([[0, 1, 2, 3], []], { classes: 2 });
  const words = (...numbers: number[]) =>
    btoa(String.fromCharCode(...new Uint8Array(Uint32Array.from(numbers).buffer)));
  const cases: [object | null, RegExp][] = [
    [null, /no object/],
    [{ ...values, kind: 'guesses' }, /kind is "guesses"/],
    [{ ...values, items: 1e15 }, /16 characters where/],
    [{ ...values, items: 0 }, /0 items/],
    [{ ...values, items: 2 }, /characters where/],
    [{ ...values, data: `${values.data.slice(0, -1)}!` }, /no base64/],
    [{ ...values, data: 7 }, /no data/],
    [{ ...values, of: 7 }, /hash/],
    [{ kind: 'values', items: 1, data: btoa('\0\0\u00c0\u007f') }, /item 0 is NaN/],
    [{ kind: 'hits', items: 1e9, data: 'AA==' }, /4 characters where/],
    [{ ...scores, inside: 3 }, /3 of 3 scores/],
    [{ ...scores, inside: undefined }, /undefined of 3 scores/],
    [{ ...counts, items: 1 }, /behind the counts/],
    [{ ...counts, items: 4e9 }, /counts of 2 classes/],
    [{ kind: 'counts', items: 1, data: words(4e9, 0, 0, 0) }, /4000000000 classes/],
    [{ kind: 'counts', items: 1, data: words(2, 0, 1, 5, 0) }, /over \[5\]/],
    [{ kind: 'counts', items: 1, data: words(2, 0, 0, 4e9) }, /end in image 0/],
    [{ kind: 'counts', items: 2, data: words(2, 0, 0, 1, 0, 1, 1, 1) }, /end in image 0 of 2/],
    [{ kind: 'counts', items: 1, data: words(2, 0, 0, 1, 2, 1, 1, 1) }, /of a class of 2/],
    [{ kind: 'counts', items: 1, data: words(2, 0, 0, 1, 1, 3, 2, 9) }, /of a class of 2/],
  ];
  for (const [given, message] of cases) {
    expect(() => readItemResults(given), String(message)).toThrow(message);
    expect(() => readItemResults(given)).toThrow(expect.objectContaining({ name: 'EvalsError', code: 'file' }));
  }
});
