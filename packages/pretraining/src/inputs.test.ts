import { sizeOf } from '@franca/tensor';
import { vitConfig } from '@franca/vit';
import { describe, expect, test } from 'vitest';
import { drawInputs, inputSpecs } from './inputs';
import { pretrainOptions } from './official-options';
import type { PretrainOptions } from './options';

const choices = {
  seed: 7,
  batch: { perDevice: 8 },
  vit: vitConfig('tiny', { depth: 2, imgSize: 64, patchSize: 8 }),
  crops: { local_crops_size: 32, local_crops_number: 3 },
  dropPathRates: [0, 0.3],
  schedule: { iterations: 10 },
};
const options = pretrainOptions(choices);

test('masks of a step are the same when drawn again', () => {
  const [a, b, c] = [drawInputs(options, 4).inputs, drawInputs(options, 4).inputs, drawInputs(options, 5).inputs];
  expect(b).toEqual(a);
  expect(c.masks).not.toEqual(a.masks);
  expect(a.maskIndices).toHaveLength(options.masks.bound);
  expect(a.masksWeight.reduce((x, y) => x + y)).toBeCloseTo(8, 4);
});
test('what is drawn has the shapes of the inputs, and all but the crops is drawn', () => {
  const specs = inputSpecs(options);
  // 16 global and 24 local crops, of which 0.3 are dropped
  expect(specs['kept.1.ffn.global']?.shape).toEqual([11]);
  expect(specs['kept.1.attention.local']?.shape).toEqual([16]);
  expect(specs['kept.0.ffn.global']).toBeUndefined();
  expectShapes(options);
});

function expectShapes(own: PretrainOptions): void {
  const specs = inputSpecs(own);
  const drawn: Record<string, ArrayLike<number>> = { ...drawInputs(own, 0).inputs };
  expect(Object.keys(specs).sort()).toEqual(['globalCrops', 'localCrops', ...Object.keys(drawn)].sort());
  for (const [name, values] of Object.entries(drawn))
    expect([name, values.length]).toEqual([name, sizeOf(specs[name as keyof typeof specs]!.shape)]);
}

describe('groups of images', () => {
  const [images, N, L] = [24, 64, 3];

  /** What `size` ranks draw for 24 images in groups of `group`, by image instead of by row: masks, places and weights of masked patches, scales of kept samples. */
  function drawn(size: number, group: number, microStep: number) {
    const b = images / size;
    const masks = new Uint8Array(2 * images * N);
    const places: [place: number, weight: number][] = [];
    const scales = { global: new Map<number, number>(), local: new Map<number, number>() };
    const global = (rank: number, row: number) => Math.floor(row / b) * images + rank * b + (row % b);
    for (let rank = 0; rank < size; rank++) {
      const own = pretrainOptions({ ...choices, batch: { perDevice: b, group }, ranks: { rank, size } });
      expectShapes(own);
      const { inputs, nMasked } = drawInputs(own, microStep);
      for (let row = 0; row < 2 * b; row++)
        masks.set(inputs.masks.subarray(row * N, (row + 1) * N), global(rank, row) * N);
      for (let i = 0; i < own.masks.bound; i++) {
        const [index, weight] = [inputs.maskIndices[i]!, inputs.masksWeight[i]!];
        expect(weight > 0).toBe(i < nMasked);
        if (i < nMasked) places.push([global(rank, Math.floor(index / N)) * N + (index % N), weight]);
      }
      for (const kind of ['global', 'local'] as const) {
        const list = inputs[`kept.1.ffn.${kind}`]!;
        const crops = kind === 'global' ? 2 : L;
        expect(new Set(list).size).toBe(list.length);
        expect(Math.max(...list)).toBeLessThan(crops * b);
        const scale =
          inputs[`keptScale.1.ffn.${kind}`] ?? new Float32Array(list.length).fill((crops * b) / list.length);
        list.forEach((row, i) => {
          if (scale[i] !== 0) scales[kind].set(global(rank, row), scale[i]!);
        });
      }
    }
    return { masks, places: places.sort(([a], [c]) => a - c), scales };
  }

  test.each([2, 6, 8, 12, 24])('of %d: what is drawn does not depend on the number of ranks', (group) => {
    const alone = drawn(1, group, 3);
    const kept = alone.scales.global.size;
    expect(kept).toBe((images / group) * Math.floor(2 * group * 0.7));
    for (const size of [2, 3, 4, 8, 12, 24]) expect(drawn(size, group, 3)).toEqual(alone);
  });

  test('the first draws what it would draw alone, the others something else', () => {
    const first = drawInputs(options, 3).inputs;
    const two = pretrainOptions({ ...choices, batch: { perDevice: 16, group: 8 } });
    const { masks, 'kept.1.ffn.global': kept } = drawInputs(two, 3).inputs;
    const rowsOf = (group: number) => [...kept!].filter((row) => Math.floor((row % 16) / 8) === group);
    const masksOf = (group: number) =>
      [0, 16].flatMap((view) => [...masks.subarray((view + 8 * group) * N, (view + 8 * group + 8) * N)]);
    const inGroup = (rows: readonly number[]) => rows.map((row) => Math.floor(row / 16) * 8 + (row % 8));
    expect(masksOf(0)).toEqual([...first.masks]);
    expect(masksOf(1)).not.toEqual([...first.masks]);
    expect(inGroup(rowsOf(0))).toEqual([...first['kept.1.ffn.global']!]);
    expect(inGroup(rowsOf(1))).not.toEqual([...first['kept.1.ffn.global']!]);
  });

  test('another seed by whole words of 32 bits draws other masks', () => {
    const seeds = [7, 7 + 2 ** 32, 2 ** 53 - 1].map((seed) =>
      drawInputs(pretrainOptions({ ...choices, seed, batch: { perDevice: 8, group: 4 } }), 0),
    );
    expect(new Set(seeds.map(({ inputs }) => inputs.masks.join())).size).toBe(3);
  });
});
