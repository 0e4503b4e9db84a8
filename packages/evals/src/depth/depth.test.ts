/** Training, prediction and ridge on features that hold the depth, so that what is right is known. */
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DepthFeatures } from './depth-features';
import type { DepthTrainingState, TrainDepthOptions } from './depth-probe';
import { fitDepthRidge, predictDepthRidge } from './depth-ridge';
import { mirroredMean, openDepthPredictor } from './predict-depth';
import { trainDepthProbe } from './train-depth-probe';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

/** Images whose depth is one number per cell, which the first feature of the first level holds. */
function scenes(images: number, seed: number): DepthFeatures {
  const [grid, depthSize, dim] = [[3, 4], [12, 16], 3] as const;
  const value = (i: number): number => Math.abs(Math.sin(12.9898 * (i + 31 * seed)) * 43_758.5453) % 1;
  const cell = (image: number, r: number, c: number): number => 1 + 6 * value(image * 12 + r * 4 + c);
  const levels = [0, 1].map((level) =>
    Float32Array.from({ length: images * 12 * dim }, (_, i) => {
      const at = Math.floor(i / dim);
      return level === 0 && i % dim === 0
        ? cell(Math.floor(at / 12), Math.floor((at % 12) / 4), at % 4)
        : value(i + level);
    }),
  );
  const depths = Float32Array.from({ length: images * 192 }, (_, i) => {
    const [r, c] = [Math.floor((i % 192) / 16), i % 16];
    return value(i) < 0.1 ? 0 : cell(Math.floor(i / 192), Math.floor(r / 4), Math.floor(c / 4));
  });
  return { dim, grid, levels, depthSize, depths };
}

const batches = [scenes(3, 1), scenes(3, 2), scenes(2, 3)];
const OPTIONS = { protocol: 'probe3d-2025', head: 'linear', stepsPerEpoch: 3, batchSize: 3, epochs: 2 } as const;
const train = (options: Partial<TrainDepthOptions> = {}) =>
  trainDepthProbe(gpu, () => batches, { ...OPTIONS, ...options });

describe('a trained probe', () => {
  test('starts where all bins are alike, learns, and predicts metres for any number of images', async () => {
    const probe = await train({ epochs: 5 });
    expect(Object.keys(probe.weights)).toEqual(['head.conv.weight', 'head.conv.bias']);
    expect(probe.losses.at(-1)!).toBeLessThan(probe.losses[2]!);
    using predictor = openDepthPredictor(gpu, probe);
    const all = await predictor.predict(scenes(9, 4));
    expect(all.every((depth) => depth >= 0.001 && depth <= 10)).toBe(true);
    const one = await predictor.predict(scenes(1, 4));
    expect(one.length).toBe(192);
    for (const [i, depth] of one.entries()) expect(depth).toBeCloseTo(all[i]!, 4);
  });

  test('goes on from a saved epoch to the same bits', async () => {
    const states: DepthTrainingState[] = [];
    const whole = await train({ onEpoch: (state) => void states.push(state) });
    const rest = await train({ resume: states[0]! });
    expect(rest.losses).toEqual(whole.losses);
    expect(rest.weights).toEqual(whole.weights);
    expect((await train({ resume: states.at(-1)! })).weights).toEqual(whole.weights);
    await expect(train({ resume: { ...states[0]!, tensors: {} } })).rejects.toThrow(/resume is of another training/);
  });

  test('is refused where epochs have another number of batches than was said, or batches are unlike', async () => {
    await expect(train({ stepsPerEpoch: 4 })).rejects.toThrow(/epoch 0 has 3 batches; it was said to have 4/);
    await expect(train({ stepsPerEpoch: 2 })).rejects.toThrow(/more than 2 batches/);
    await expect(train({ batchSize: 2 })).rejects.toThrow(/has 3 images; a batch has 1 to 2/);
  });

  test('passes over a batch without any measured pixel and counts it', async () => {
    const empty = { ...batches[0]!, depths: new Float32Array(3 * 192) };
    const probe = await trainDepthProbe(gpu, () => [batches[0]!, empty, batches[2]!], { ...OPTIONS, epochs: 1 });
    expect(probe.skipped).toBe(1);
    expect(probe.losses[1]).toBeNaN();
    expect(probe.weights['head.conv.weight']!.data.every(Number.isFinite)).toBe(true);
  });
});

test("DINOv3's head learns in its own cycle, with statistics that predictions use, and leaves out a smaller last batch", async () => {
  const last = scenes(2, 9);
  const source = () => [batches[0]!, batches[1]!, last];
  const cycle = { protocol: 'dinov3', stepsPerEpoch: 2, batchSize: 3, epochs: 2 } as const;
  const probe = await trainDepthProbe(gpu, source, cycle);
  expect(probe.losses.every(Number.isFinite)).toBe(true);
  const mean = probe.weights['batchnorm_layer.running_mean']!.data[0]!;
  expect(mean).toBeGreaterThan(0.1);
  using predictor = openDepthPredictor(gpu, probe);
  expect((await predictor.predict(last)).every((depth) => depth >= 0.001 && depth <= 10)).toBe(true);
});

test('the ridge finds the feature that holds the depth', async () => {
  const ridge = await fitDepthRidge(batches, { lambda: 1e-6 });
  expect(ridge.weight[0]!).toBeCloseTo(1, 4);
  expect(ridge.intercept).toBeCloseTo(0, 3);
  const [map, scene] = [predictDepthRidge(ridge, scenes(1, 5)), scenes(1, 5)];
  expect(map[0]!).toBeCloseTo(scene.levels[0]![0]!, 3);
  expect(map.at(-1)!).toBeCloseTo(scene.levels[0]!.at(-3)!, 3);
});

test('a mirrored prediction is mirrored back', () => {
  const of = (...values: number[]) => Float32Array.from(values);
  expect(mirroredMean(of(1, 2, 3, 4), of(4, 3, 8, 7), [2, 2])).toEqual(of(2, 3, 5, 6));
});
