import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { clusterPositions } from './cluster-positions';
import { positionEntropy } from './position-entropy';

test('an even cluster has entropy 1, a fixed one 0, two of four places log 2 / log 4', () => {
  const counts = [5, 5, 5, 5, /**/ 0, 20, 0, 0, /**/ 10, 0, 10, 0];
  const { entropies, outcome, histogram } = positionEntropy(
    { counts, clusters: 3, grid: [2, 2] },
    { correction: 'none' },
  );
  expect(entropies[0]).toBeCloseTo(1, 12);
  expect(entropies.slice(1)).toEqual([0, 0.5]);
  expect(outcome).toMatchObject({ value: 0.5, evaluated: 3, total: 3 });
  expect([histogram[0], histogram[10], histogram[19]]).toEqual([1, 1, 1]);
});

test('clusters with too few hits are left out, and one must remain', () => {
  const counts = [1, 1, 0, 0, /**/ 9, 9, 9, 9];
  const table = { counts, clusters: 2, grid: [2, 2] } as const;
  expect(positionEntropy(table).entropies).toEqual([null, 1]);
  expect(positionEntropy(table).outcome).toMatchObject({ evaluated: 1, total: 2, hyper: { minHits: 20 } });
  expect(() => positionEntropy(table, { minHits: 100 })).toThrow(/no cluster has 100 hits/);
});

test('the correction removes most of the bias of few samples', () => {
  const { integer } = random(3);
  const positions = 50;
  const counts = new Float64Array(200 * positions);
  for (let k = 0; k < 200; k++) for (let i = 0; i < 250; i++) counts[k * positions + integer(positions)]! += 1;
  const table = { counts, clusters: 200, grid: [1, positions] } as const;
  const low = 1 - positionEntropy(table, { correction: 'none' }).outcome.others.mean!;
  const corrected = 1 - positionEntropy(table).outcome.others.mean!;
  // The expected deficit is (P - 1) / 2n / log P = 49 / 500 / 3.912 = 0.025.
  expect(low).toBeCloseTo(0.025, 2);
  expect(Math.abs(corrected)).toBeLessThan(low / 4);
});

test('tokens are counted at their position under their nearest cluster', async () => {
  const features = { dim: 2, grid: [1, 2] as const, patches: Float32Array.of(1, 0, 0, 1, 1, 0, 0, 3) };
  const clusters = { data: Float32Array.of(2, 0, 0, 1), rows: 2, cols: 2 };
  const inner = await clusterPositions(features, clusters, { nearest: 'inner-product' });
  expect(inner).toEqual({ counts: Float64Array.of(2, 0, 0, 2), clusters: 2, grid: [1, 2] });
  const euclidean = await clusterPositions([features, features], clusters, { nearest: 'euclidean' });
  expect(Array.from(euclidean.counts)).toEqual([4, 0, 0, 4]);
  const turned = { ...features, grid: [2, 1] as const };
  await expect(clusterPositions([features, turned], clusters, { nearest: 'euclidean' })).rejects.toThrow(
    'grids of 1 x 2 and 2 x 1 patches cannot share counts',
  );
});
