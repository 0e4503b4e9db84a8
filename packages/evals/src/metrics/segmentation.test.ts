import { expect, test } from 'vitest';
import { scenes } from '../../test/support';
import { inContextSegmentation } from '../in-context/in-context';
import { linearSegmentation } from '../linear-segmentation/linear-segmentation';
import { overclustering } from '../overclustering/overclustering';
import type { SegmentationScoring } from './segmentation';

const scene = { images: 4, grid: [2, 3], patch: 2, classes: 3, dim: 4, noise: 0.1 } as const;
const train = scenes({ ...scene, seed: 1 });
const held = scenes({ ...scene, seed: 2 });
const strange = { ...held, masks: held.masks.with(5, 7) };

const EVALUATIONS: readonly [string, (test: typeof held, scoring: SegmentationScoring) => Promise<unknown>][] = [
  ['in-context', (test, scoring) => inContextSegmentation(train, test, { ...scoring, k: 3 })],
  ['in-context, memory', (test, scoring) => inContextSegmentation(test, held, { ...scoring, k: 3 })],
  ['linear', (test, scoring) => linearSegmentation(train, test, { ...scoring, epochs: 1, learningRates: [0.1] })],
  ['linear, train', (test, scoring) => linearSegmentation(test, held, { ...scoring, epochs: 1, learningRates: [0.1] })],
  ['overclustering', (test, scoring) => overclustering(test, { ...scoring, clusters: [3], seeds: [0], size: [4, 6] })],
];

test.each(EVALUATIONS)('%s: a mask value is a class or ignored, and the mean is over classes', async (_, evaluate) => {
  await expect(evaluate(strange, { classes: 3 })).rejects.toThrow(
    /value 7, .* 3 classes \(0 to 2\) nor ignored \(255\)/,
  );
  await expect(evaluate(strange, { classes: 3, ignore: 7 })).resolves.toBeDefined();
  await expect(evaluate(held, { classes: 3, averageOver: [0, 3] })).rejects.toThrow(/averageOver names 3/);
  await expect(evaluate(held, { classes: 3, averageOver: [1, 1] })).rejects.toThrow(/averageOver names 1/);
});
