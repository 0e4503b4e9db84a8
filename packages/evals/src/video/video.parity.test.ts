/** J, F, outlines and statistics as the tool for DAVIS-2017 computes them, and one step of DINO's label propagation with its decoding. */
import { expect, test } from 'vitest';
import { parityJson } from '../../../../test/support/parity';
import { cpuBackend } from '../backend/cpu';
import { type Matrix, normaliseRows } from '../matrix';
import { boundaryAccuracy, boundaryMap, regionSimilarity } from '../metrics/mask-similarity';
import { sequenceStatistics } from '../metrics/sequence-statistics';
import { carryLabels } from './carry-labels';
import { decodeMaps } from './object-maps';
import { DINO_PROPAGATION } from './propagation-settings';

interface Golden {
  readonly pairs: readonly {
    readonly case: string;
    readonly shape: readonly [number, number];
    readonly truth: readonly number[];
    readonly prediction: readonly number[];
    readonly truth_boundary?: readonly number[];
    readonly J: number;
    readonly F: number;
  }[];
  readonly statistics: readonly {
    readonly values: readonly number[];
    readonly mean: number;
    readonly recall: number;
    readonly decay: number;
  }[];
  readonly label_propagation: {
    readonly grid: readonly [number, number];
    readonly topk: number;
    readonly neighborhood: number;
    readonly temperature: number;
    readonly target_features: readonly (readonly number[])[];
    readonly source_features: readonly (readonly (readonly number[])[])[];
    readonly maps: readonly (readonly (readonly number[])[])[];
    readonly result: readonly (readonly number[])[];
    readonly upsampled_argmax_x4: readonly string[];
  };
}

const golden: Golden = parityJson('eval_video');

/** Runs of zeros and ones in turn, zeros first. */
const maskOf = (runs: readonly number[]): Uint8Array =>
  Uint8Array.from(runs.flatMap((length, i) => new Array<number>(length).fill(i % 2)));

test.each(golden.pairs)('J and F as the official tool: $case', ({ shape, J, F, ...pair }) => {
  const [truth, predicted] = [maskOf(pair.truth), maskOf(pair.prediction)];
  expect(regionSimilarity(truth, predicted)).toBe(J);
  expect(boundaryAccuracy(truth, predicted, shape)).toBe(F);
  if (pair.truth_boundary) expect(boundaryMap(truth, shape)).toEqual(maskOf(pair.truth_boundary));
});

test.each(golden.statistics)('statistics of $values.length frames as the official tool', ({ values, ...expected }) => {
  const found = sequenceStatistics(values);
  expect(found.recall).toBe(expected.recall);
  // sums of numpy run in another order
  expect(found.mean).toBeCloseTo(expected.mean, 14);
  expect(found.decay).toBeCloseTo(expected.decay, 14);
});

const rows = (features: readonly (readonly number[])[]): Matrix =>
  normaliseRows({ data: Float32Array.from(features.flat()), rows: features.length, cols: features[0]!.length });
/** `[channel][cell]` to `[cell, channel]`. */
const cellsFirst = (maps: readonly (readonly number[])[]): Float32Array =>
  Float32Array.from(maps[0]!.flatMap((_, cell) => maps.map((map) => map[cell]!)));

test('a step of label propagation is that of DINO, and so are the pixels made of it', async () => {
  const { grid, topk: topK, neighborhood: radius, temperature, maps, ...given } = golden.label_propagation;
  const sources = given.source_features.map((features, i) => ({ tokens: rows(features), maps: cellsFirst(maps[i]!) }));
  const settings = { ...DINO_PROPAGATION, topK, radius, temperature };
  const labels = await carryLabels(cpuBackend, rows(given.target_features), sources, grid, settings);
  // f32 cosines over a temperature of 0.1: 10 x 2^-23 of a weight
  for (const [i, value] of cellsFirst(given.result).entries()) expect(Math.abs(labels[i]! - value)).toBeLessThan(2e-6);
  const pixels = decodeMaps(labels, grid, {
    size: [4 * grid[0], 4 * grid[1]],
    objects: maps[0]!.slice(1).map((_, i) => i + 1),
    patchSize: 4,
  });
  expect([...pixels].join('')).toBe(given.upsampled_argmax_x4.join(''));
});
