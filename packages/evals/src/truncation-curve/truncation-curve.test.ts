import { expect, test } from 'vitest';
import { blobs } from '../../test/support';
import type { LabelledFeatures } from '../features';
import { knn } from '../knn/knn';
import { truncationCurve } from './truncation-curve';

/** Class information in the first two of eight numbers; the rest is weak noise, or the reverse order. */
function nested(seed: number, reversed = false): LabelledFeatures {
  const signal = blobs({ classes: 4, dim: 2, perClass: 40, noise: 0.1, seed });
  const noise = blobs({ classes: 1, dim: 6, perClass: 160, noise: 0.3, seed: seed + 1 });
  const cls = new Float32Array(160 * 8);
  for (let i = 0; i < 160; i++) {
    cls.set(signal.cls.subarray(i * 2, i * 2 + 2), i * 8 + (reversed ? 6 : 0));
    cls.set(noise.cls.subarray(i * 6, i * 6 + 6), i * 8 + (reversed ? 0 : 2));
  }
  return { dim: 8, cls, labels: signal.labels };
}

test('the full width is plain k-NN, whatever the rotation', async () => {
  const [train, testSet] = [nested(1), nested(10)];
  const { curve } = await truncationCurve(train, testSet, { widths: [8], controls: ['random'], k: 10 });
  const full = (await knn(train, testSet, { ks: [10] })).outcome.value;
  expect(curve[0]!.truncated).toBe(full);
  // A rotation keeps every cosine up to f32 rounding.
  for (const value of curve[0]!.random!) expect(value).toBeCloseTo(full, 2);
});

test('features with the signal in front survive truncation better than random subspaces; reversed ones worse', async () => {
  const at2 = async (reversed: boolean) =>
    (await truncationCurve(nested(1, reversed), nested(10, reversed), { widths: [2], k: 10 })).curve[0]!;
  const front = await at2(false);
  const back = await at2(true);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(front.truncated).toBeGreaterThan(mean(front.random!));
  expect(back.truncated).toBeLessThan(mean(back.random!));
  // The principal components do not care where the signal sits.
  expect(back.pca).toBeCloseTo(front.pca!, 2);
});

test('by default the widths halve down to a sixteenth, each with its record', async () => {
  const train = blobs({ classes: 2, dim: 16, perClass: 10, noise: 1, seed: 1 });
  const { outcomes } = await truncationCurve(train, train, { controls: ['pca'], k: 3 });
  expect(outcomes.map(({ hyper }) => hyper.width)).toEqual([16, 8, 4, 2, 1]);
  expect(outcomes[1]).toMatchObject({ task: 'truncation-curve', selectedOn: 'nothing', hyper: { of: 16, k: 3 } });
  await expect(truncationCurve(train, train, { widths: [17] })).rejects.toThrow(/width 17 is outside 1..16/);
});

test('a series of batches gives what features in memory give', async () => {
  const { dim, cls, labels } = nested(1);
  const series = {
    async *[Symbol.asyncIterator]() {
      for (const [begin, end] of [
        [0, 64],
        [64, 150],
        [150, 160],
      ] as const)
        yield { dim, cls: cls.subarray(begin * dim, end * dim), labels: labels.subarray(begin, end) };
    },
  };
  const options = { widths: [4, 2], seeds: [0], k: 10 };
  const { curve } = await truncationCurve(series, nested(10), options);
  expect(curve).toEqual((await truncationCurve(nested(1), nested(10), options)).curve);
});
