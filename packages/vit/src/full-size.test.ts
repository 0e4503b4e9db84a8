import { initialValues } from '@franca/nn';
import { openGpu } from '@franca/tensor/node';
import { expect, test } from 'vitest';
import { vitConfig } from './config';
import { loadVit } from './load';
import { vitSpecs } from './specs';

test('ViT-B/14 at 224 px runs one forward pass in the memory its plan reports', async () => {
  await using gpu = await openGpu();
  const config = vitConfig('base');
  const specs = vitSpecs(config);
  // Large matrices repeat one block of values: the pass is what is looked at, not the draw.
  const block = initialValues('block', { shape: [65536], dtype: 'f32', init: { kind: 'normal', std: 0.02 } }, 1);
  const weights = (name: string) => {
    const { shape, init } = specs[name]!;
    const size = shape.reduce((a, b) => a * b, 1);
    if (init.kind === 'constant') return new Float32Array(size).fill(init.value);
    return Float32Array.from({ length: size }, (_, i) => block[(i * 40503) % block.length]!);
  };
  using model = await loadVit(gpu, { config, weights });
  const loaded = gpu.allocatedBytes;
  const { cls, patches, grid } = await model.run(
    {
      data: Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i)),
      shape: [1, 3, 224, 224],
    },
    { patches: true },
  );
  expect([cls.length, patches.length, ...grid]).toEqual([768, 256 * 768, 16, 16]);
  expect(cls.every(Number.isFinite) && patches.every(Number.isFinite)).toBe(true);
  // final norm: every token has mean 0 and variance 1
  expect(cls.reduce((a, b) => a + b) / 768).toBeCloseTo(0, 4);
  expect(cls.reduce((a, b) => a + b * b, 0) / 768).toBeCloseTo(1, 2);
  // 85,737,984 parameters of 4 bytes, each tensor rounded up to 128 elements
  expect(loaded).toBeGreaterThanOrEqual(4 * 85_737_984);
  expect(loaded).toBeLessThan(4 * 85_737_984 + 2 ** 20);
  const activations = gpu.allocatedBytes - loaded;
  console.log(
    `ViT-B/14: weights ${(loaded / 2 ** 20).toFixed(1)} MiB, everything else of one image ${(activations / 2 ** 20).toFixed(1)} MiB`,
  );
  // tokens [257, 768] are 0.75 MiB; SwiGLU's [257, 4096] with gate, value and product is the widest point
  expect(activations).toBeLessThan(64 * 2 ** 20);
});
