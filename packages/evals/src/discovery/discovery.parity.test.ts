import { expect, test } from 'vitest';
import { parityJson } from '../../../../test/support/parity';
import { type Box, corLoc, iou, isHit } from '../metrics/corloc';
import { boxOfCells } from './discovery';
import { lost } from './lost';
import { tokenCut } from './token-cut';

interface Golden {
  readonly corloc: readonly {
    readonly case: string;
    readonly box: Box;
    readonly truth: readonly Box[];
    readonly iou: readonly number[];
    readonly hit: boolean;
  }[];
  readonly discovery: readonly {
    readonly grid: readonly [number, number];
    readonly image: readonly [height: number, width: number];
    readonly features: readonly (readonly number[])[];
    readonly lost: {
      readonly k_patches: number;
      readonly box: Box;
      readonly seed: number;
      readonly degree: readonly number[];
      readonly seed_is_unique: boolean;
    };
    readonly tokencut: {
      readonly tau: number;
      readonly eps: number;
      readonly box: Box;
      readonly seed: number;
      readonly mask: readonly string[];
      readonly eigenvector_up_to_scale: readonly number[];
    };
  }[];
}

const golden: Golden = parityJson('eval_discovery');

test.each(golden.corloc)('CorLoc as published: $case', ({ box, truth, iou: expected, hit }) => {
  expect(isHit(box, truth)).toBe(hit);
  for (const [i, other] of truth.entries()) expect(iou(box, other)).toBeCloseTo(expected[i]!, 6);
  expect(corLoc([{ box, otherBoxes: [], truth }]).hits).toBe(Number(hit));
});

const pictures = golden.discovery.map(({ grid, features, image, ...rest }) => ({
  ...rest,
  size: { height: image[0], width: image[1] },
  features: { dim: features[0]!.length, grid, patches: Float32Array.from(features.flat()) },
}));

test.each(pictures)('LOST as published, of $features.grid patches', ({ features, size, lost: expected }) => {
  const found = lost(features, { k: expected.k_patches });
  const boxes = [found.cells, ...found.otherCells].map((cells) => boxOfCells(cells, 16, size));
  expect(found.detail.degree).toBe(Math.min(...expected.degree));
  expect(found.tiedSeeds).toEqual(
    [...expected.degree.keys()].filter((i) => expected.degree[i] === Math.min(...expected.degree)),
  );
  expect(found.tiedSeeds).toContain(expected.seed);
  if (expected.seed_is_unique) expect(boxes[0]).toEqual(expected.box);
  expect(boxes).toContainEqual(expected.box);
});

test.each(pictures)('TokenCut as published, of $features.grid patches', ({ features, size, tokencut: expected }) => {
  const { tau, eps } = expected;
  const found = tokenCut(features, { tau, eps });
  expect(found.tiedSeeds).toContain(expected.seed);
  const boxes = [found.cells, ...found.otherCells].map((cells) => boxOfCells(cells, 16, size));
  expect(boxes).toContainEqual(expected.box);
  const scale = expected.eigenvector_up_to_scale[found.seed]! / found.map[found.seed]!;
  for (const [i, value] of expected.eigenvector_up_to_scale.entries())
    expect(found.map[i]! * scale, `patch ${i}`).toBeCloseTo(value, 5);
  if (found.seed === expected.seed) {
    const rows = Array.from({ length: features.grid[0] }, (_, row) =>
      [...found.foreground.subarray(row * features.grid[1], (row + 1) * features.grid[1])].map((v) => '.#'[v]).join(''),
    );
    expect(boxes[0]).toEqual(expected.box);
    expect(rows).toEqual(expected.mask);
  }
});
