import { expect, test } from 'vitest';
import { countPairs } from '../backend/cpu-count-pairs';
import { random } from '../numerics/random';
import { meanIou, perClassIou } from './mean-iou';

test('IoU equals intersection over union of the pixel sets, with an ignored label', async () => {
  const { integer } = random(2);
  const target = Array.from({ length: 500 }, () => [0, 1, 2, 255][integer(4)]!);
  const predicted = Array.from({ length: 500 }, () => integer(3));
  const ious = perClassIou(await countPairs({ predicted, target, shape: [3, 3], ignore: 255 }), 3);
  for (let c = 0; c < 3; c++) {
    const kept = target.map((t, i) => [t, predicted[i]!] as const).filter(([t]) => t !== 255);
    const both = kept.filter(([t, p]) => t === c && p === c).length;
    const either = kept.filter(([t, p]) => t === c || p === c).length;
    expect(ious[c]).toBe(both / either);
  }
});

test('an absent class counts 0, or is skipped', () => {
  // Class 2 is neither predicted nor a target; class 1 is predicted once and never a target.
  const ious = perClassIou(Float64Array.of(3, 0, 0, 1, 0, 0, 0, 0, 0), 3);
  expect(ious).toEqual([0.75, 0, null]);
  expect(meanIou(ious)).toBe(0.25);
  expect(meanIou(ious, 'skip')).toBe(0.375);
  expect(meanIou(ious, 'zero', [0])).toBe(0.75);
});

test('pixels predicted as no class are missed', () => {
  expect(perClassIou(Float64Array.of(2, 0, 0, 2, 2, 0), 2)).toEqual([0.5, 1]);
});
