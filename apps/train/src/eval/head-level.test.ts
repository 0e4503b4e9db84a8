import { clusterPositions, cpuBackend, gpuBackend, type PatchFeatures, positionEntropy } from '@franca/evals';
import { detectHead } from '@franca/matryoshka-heads';
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../../test/support/parity';
import { openHeadLevel } from './head-level';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

async function* one(features: PatchFeatures): AsyncGenerator<PatchFeatures> {
  yield features;
}

test.each([
  ['mrl_head', (level: number) => `out.${level}`],
  ['dino_head', () => 'out'],
])('%s: features and prototypes give the logits of the official head, level by level', async (name, output) => {
  const file = parityFile(name);
  const stored = file.withPrefix('w.');
  const config = detectHead(Object.fromEntries([...stored].map(([key, { shape }]) => [key, shape])));
  const head = { config, read: async (key: string) => Float32Array.from(stored.get(key)!.data) };
  const [rows, dim] = file.shape('x') as [number, number];
  const tokens = { patches: Float32Array.from(file.floats('x')), grid: [1, rows] as const, dim };
  for (const [index, { prototypes: K }] of config.levels.entries()) {
    using level = await openHeadLevel(gpu, head, index);
    const expected = Float32Array.from(file.floats(output(index)));
    for await (const { patches, dim: cols } of level.features(one(tokens))) {
      const logits = await cpuBackend.products({ data: patches, rows, cols }, level.prototypes);
      checkParity(file, output(index), logits, expected, { ofMax: 2e-5 });
    }
    // the largest of them, at the one position that each row stands at
    for (const backend of [cpuBackend, gpuBackend(gpu)]) {
      const { counts } = await clusterPositions(level.features(one(tokens)), level.prototypes, {
        nearest: 'inner-product',
        backend,
      });
      const best = Array.from({ length: rows }, (_, r) => {
        const row = expected.subarray(r * K, (r + 1) * K);
        return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
      });
      expect(best.map((k, r) => counts[k * rows + r])).toEqual(new Array(rows).fill(1));
    }
  }
});

test('by hand: a prototype at one place of four, and one spread over two', async () => {
  // one linear level of two: features are gelu(gelu(x)) of positive tokens, so that the larger component decides
  const config = {
    kind: 'dino',
    nesting: 'slice',
    levels: [{ width: 2, prototypes: 2 }],
    layers: 2,
    hiddenDim: 2,
    bottleneckDim: 2,
  } as const;
  const tensors: Record<string, readonly number[]> = {
    'mlp.0.weight': [1, 0, 0, 1],
    'mlp.0.bias': [0, 0],
    'mlp.2.weight': [1, 0, 0, 1],
    'mlp.2.bias': [0, 0],
    'last_layer.weight_g': [3, 1],
    'last_layer.weight_v': [0.1, 0, 0, 7],
  };
  using level = await openHeadLevel(gpu, { config, read: async (name) => Float32Array.from(tensors[name]!) }, 0);
  expect([...level.prototypes.data]).toEqual([3, 0, 0, 1].map((value) => expect.closeTo(value, 6)));
  // of two images of 2 x 2 patches: (1, 0) at place 0, and the second component once at place 1, thrice at 2, twice at 3
  const [a, b] = [
    [1, 0],
    [0, 1],
  ] as const;
  const patches = Float32Array.from([a, b, b, b, a, a, b, b].flat());
  const positions = await clusterPositions(level.features(one({ patches, grid: [2, 2], dim: 2 })), level.prototypes, {
    nearest: 'inner-product',
  });
  expect([...(positions.counts as Float64Array)]).toEqual([2, 1, 0, 0, 0, 1, 2, 2]);
  const { entropies } = positionEntropy(positions, { minHits: 1, correction: 'none' });
  const H = (...shares: number[]) => -shares.reduce((sum, p) => sum + p * Math.log(p), 0) / Math.log(4);
  expect(entropies[0]).toBeCloseTo(H(2 / 3, 1 / 3), 12);
  expect(entropies[1]).toBeCloseTo(H(1 / 5, 2 / 5, 2 / 5), 12);
});
