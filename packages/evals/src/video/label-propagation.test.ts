import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { cpuBackend } from '../backend/cpu';
import { gpuBackend } from '../backend/gpu';
import type { PatchFeatures } from '../features';
import { openLabelPropagation } from './label-propagation';
import { DINO_PROPAGATION, DINOV3_PROPAGATION, type PropagationOptions } from './propagation-settings';

const DIM = 6;

function frame(grid: readonly [number, number], seed: number): PatchFeatures {
  return { dim: DIM, grid, patches: gaussian(grid[0] * grid[1], DIM, seed).data };
}

/** Object 1 on the left half, object 2 below on the right. */
function mapsOn([rows, columns]: readonly [number, number]): Float32Array {
  const maps = new Float32Array(3 * rows * columns);
  for (let i = 0; i < rows * columns; i++) {
    const isLeft = i % columns < columns / 2;
    maps[3 * i + (isLeft ? 1 : i >= (rows * columns) / 2 ? 2 : 0)] = 1;
  }
  return maps;
}

/** Labels of one token by the definition: all pairs of all sources, sorted. */
function slowLabels(
  token: number,
  target: PatchFeatures,
  sources: readonly { readonly features: PatchFeatures; readonly maps: ArrayLike<number> }[],
  { radius, neighbourhood, topK, temperature }: Required<PropagationOptions>,
): number[] {
  const columns = target.grid[1];
  const rowOf = ({ patches }: PatchFeatures, i: number): number[] => [...patches.subarray(i * DIM, (i + 1) * DIM)];
  const cosine = (a: readonly number[], b: readonly number[]): number => {
    const dot = (x: readonly number[], y: readonly number[]): number => x.reduce((sum, v, d) => sum + v * y[d]!, 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  const seen = sources.flatMap(({ features, maps }) =>
    Array.from({ length: target.grid[0] * columns }, (_, cell) => cell).flatMap((cell) => {
      const away = [Math.floor(cell / columns) - Math.floor(token / columns), (cell % columns) - (token % columns)];
      const far = neighbourhood === 'square' ? Math.max(...away.map(Math.abs)) : Math.hypot(...away);
      if (far > radius) return [];
      return [
        { value: cosine(rowOf(target, token), rowOf(features, cell)), map: [0, 1, 2].map((c) => maps[3 * cell + c]!) },
      ];
    }),
  );
  const best = seen.sort((a, b) => b.value - a.value).slice(0, topK);
  const weights = best.map(({ value }) => Math.exp(value / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return [0, 1, 2].map((c) => best.reduce((sum, { map }, i) => sum + (weights[i]! / total) * map[c]!, 0));
}

describe.each([
  ['DINO', { ...DINO_PROPAGATION, context: 2, radius: 3 }],
  ['DINOv3', { ...DINOV3_PROPAGATION, context: 2, radius: 3 }],
  ['a small radius and one token', { ...DINOV3_PROPAGATION, context: 1, radius: 1, topK: 1 }],
  ['all tokens, the first frame alone', { ...DINO_PROPAGATION, context: 0, radius: 20, topK: 9 }],
] as const)('labels by the settings of %s', (_, settings) => {
  test('are those of all pairs, of the first frame and the last ones', async () => {
    const grid = [9, 13] as const;
    const frames = [1, 2, 3, 4, 5].map((seed) => frame(grid, seed));
    using labels = openLabelPropagation(cpuBackend, { features: frames[0]!, maps: mapsOn(grid) }, settings);
    const known = [mapsOn(grid)];
    for (const features of frames.slice(1)) {
      const found = await labels.next(features);
      const from = [...known.keys()].filter((i) => i === 0 || i >= known.length - settings.context);
      const sources = from.map((i) => ({ features: frames[i]!, maps: known[i]! }));
      for (const token of [0, 12, 50, 58, 104, 116]) {
        const expected = slowLabels(token, features, sources, settings);
        // f32 cosines over a temperature of 0.1
        for (const c of [0, 1, 2]) expect(found[3 * token + c]).toBeCloseTo(expected[c]!, 5);
      }
      known.push(found);
    }
  });
});

test('equal tokens are kept together, however many', async () => {
  const grid = [4, 4] as const;
  const same = { dim: 2, grid, patches: new Float32Array(32).fill(1) };
  using labels = openLabelPropagation(cpuBackend, { features: same, maps: mapsOn(grid) }, { topK: 1 });
  const found = await labels.next(same);
  for (let i = 0; i < 16; i++) expect([...found.subarray(3 * i, 3 * i + 3)]).toEqual([0.25, 0.5, 0.25]);
});

test('an object that comes later is a source from its first mask on, for good', async () => {
  const grid = [1, 4] as const;
  // each token is like itself only
  const still = { dim: 4, grid, patches: Float32Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0)) };
  const oneHot = (channels: readonly number[]): Float32Array =>
    Float32Array.from({ length: 12 }, (_, i) => Number(channels[Math.floor(i / 3)] === i % 3));
  using labels = openLabelPropagation(
    cpuBackend,
    { features: still, maps: oneHot([1, 0, 0, 0]) },
    { context: 1, topK: 1, temperature: 1e-3 },
  );
  expect([...(await labels.next(still))]).toEqual([...oneHot([1, 0, 0, 0])]);
  expect([...labels.add(oneHot([0, 0, 2, 2]))]).toEqual([...oneHot([1, 0, 2, 2])]);
  // the first frame says background there as loudly
  for (let i = 0; i < 4; i++) {
    const found = await labels.next(still);
    expect([...found.subarray(0, 3)]).toEqual([0, 1, 0]);
    expect(found[8]).toBeGreaterThan(0.3);
  }
});

describe('wrong calls', () => {
  const grid = [2, 2] as const;
  const open = (options: PropagationOptions = {}) =>
    openLabelPropagation(cpuBackend, { features: frame(grid, 1), maps: mapsOn(grid) }, options);

  test('settings that cannot be are refused', () => {
    expect(() => open({ radius: 0 })).toThrow('radius is 0; it must be a whole number from 1');
    expect(() => open({ context: -1 })).toThrow('context is -1');
    expect(() => open({ topK: 1.5 })).toThrow('topK is 1.5');
    expect(() => open({ temperature: 0 })).toThrow('temperature is 0; it must be above 0');
  });

  test('frames and maps of another size are refused', async () => {
    const first = { features: frame(grid, 1), maps: new Float32Array(7) };
    expect(() => openLabelPropagation(cpuBackend, first)).toThrow(
      '7 values for 4 tokens; each needs one for the background',
    );
    const two = { ...frame([4, 2], 1), grid };
    expect(() => openLabelPropagation(cpuBackend, { features: two, maps: mapsOn(grid) })).toThrow('of 2 pictures');
    using labels = open();
    await expect(labels.next(frame([2, 3], 1))).rejects.toThrow(
      '2 x 3 tokens of width 6; the first frame has 2 x 2 of 6',
    );
    expect(() => labels.add(mapsOn(grid))).toThrow('there is no frame yet');
    await labels.next(frame(grid, 2));
    expect(() => labels.add(new Float32Array(8))).toThrow('8 values for 4 tokens; each needs 3');
  });

  test('frames come one after the other, and none after the end', async () => {
    const labels = open();
    const first = labels.next(frame(grid, 2));
    await expect(labels.next(frame(grid, 3))).rejects.toThrow('under way');
    await first;
    labels[Symbol.dispose]();
    await expect(labels.next(frame(grid, 3))).rejects.toThrow('disposed of');
  });
});

describe('on a device', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  test('labels are those of the processor', async () => {
    using backend = gpuBackend(gpu);
    const grid = [7, 11] as const;
    const [near, far] = [cpuBackend, backend].map((each) =>
      openLabelPropagation(each, { features: frame(grid, 1), maps: mapsOn(grid) }, { radius: 2 }),
    );
    for (const seed of [2, 3, 4]) {
      const [expected, found] = [await near!.next(frame(grid, seed)), await far!.next(frame(grid, seed))];
      for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-5);
    }
  });
});
