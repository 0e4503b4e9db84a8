import { initialValues } from '@franca/nn';
import { createState, type Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vitConfig } from './config';
import { loadVit } from './load';
import { vitOnState } from './model';
import { vitSpecs } from './specs';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const small = vitConfig('tiny', {
  embedDim: 32,
  depth: 2,
  numHeads: 2,
  imgSize: 28,
  patchSize: 7,
  numRegisterTokens: 1,
});
const values = Object.fromEntries(
  Object.entries(vitSpecs(small)).map(([name, spec]) => [name, initialValues(name, spec, 3)]),
);
const weights = (name: string) => values[name];
const images = (B: number, H: number, W: number) => ({
  data: Float32Array.from({ length: B * 3 * H * W }, (_, i) => Math.sin(i)),
  shape: [B, 3, H, W] as const,
});
const largestDifference = (a: Float32Array, b: ArrayLike<number>) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

describe('a loaded model', () => {
  test('gives the same features for an image alone and in a batch, for any grid', async () => {
    using model = await loadVit(gpu, { config: small, weights });
    const both = await model.run(images(2, 21, 35), { patches: true, registers: true });
    const one = await model.run({ data: images(2, 21, 35).data.slice(3 * 21 * 35), shape: [1, 3, 21, 35] });
    expect(both.grid).toEqual([3, 5]);
    expect(both.patches).toHaveLength(2 * 15 * 32);
    expect(both.registers).toHaveLength(2 * 32);
    expect(largestDifference(one.cls, both.cls.subarray(32))).toBeLessThan(1e-5);
  });

  test('gives what is asked for and nothing else', async () => {
    using model = await loadVit(gpu, { config: small, weights });
    const all = await model.run(images(1, 28, 28), {
      patches: true,
      patchMean: true,
      attention: true,
      qkv: true,
      prenorm: true,
      blockCls: [-1, 0],
      blockPatches: [1],
    });
    expect(all.attention).toHaveLength(2 * 18);
    expect(all.attention.slice(0, 18).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect([all.qkv.length, all.prenorm.length]).toEqual([18 * 96, 18 * 32]);
    expect(all.blockCls).toHaveLength(2);
    expect(all.blockCls[0]).toEqual(all.cls);
    expect(all.blockCls[1]).not.toEqual(all.cls);
    expect(all.blockPatches).toEqual([all.patches]);
    const mean = Float64Array.from({ length: 32 }, (_, d) => {
      let sum = 0;
      for (let i = 0; i < 16; i++) sum += all.patches[i * 32 + d]! / 16;
      return sum;
    });
    expect(largestDifference(all.patchMean, mean)).toBeLessThan(1e-5);
    const least = await model.run(images(1, 28, 28));
    const given = Object.fromEntries(Object.entries(least).filter(([, value]) => value !== undefined));
    const { embedDim: dim, numHeads: heads, numRegisterTokens } = small;
    expect(given).toEqual({ cls: all.cls, dim, grid: [4, 4], heads, prefixTokens: 1 + numRegisterTokens });
  });

  test('gives queries, keys and values of any block', async () => {
    using model = await loadVit(gpu, { config: small, weights });
    using first = await loadVit(gpu, { config: { ...small, depth: 1 }, weights });
    const { qkv, blockQkv } = await model.run(images(1, 28, 28), { qkv: true, blockQkv: [-1, 0, 1] });
    expect(blockQkv).toEqual([qkv, (await first.run(images(1, 28, 28), { qkv: true })).qkv, qkv]);
    expect(blockQkv[1]).not.toEqual(qkv);
    await expect(model.run(images(1, 28, 28), { blockQkv: [2] })).rejects.toThrow(/block 2 does not exist/);
  });

  test('gives the tokens of any block as the next one reads them', async () => {
    using model = await loadVit(gpu, { config: small, weights });
    using first = await loadVit(gpu, { config: { ...small, depth: 1 }, weights });
    const { prenorm, blockTokens } = await model.run(images(1, 28, 28), { prenorm: true, blockTokens: [-1, 0] });
    expect(blockTokens).toEqual([prenorm, (await first.run(images(1, 28, 28), { prenorm: true })).prenorm]);
    expect(blockTokens[1]).not.toEqual(prenorm);
  });

  test('a final layer stands in for the norm of patches, of any block, and leaves CLS alone', async () => {
    const [gamma, beta] = [values['norm.weight']!, values['norm.bias']!];
    const swapped = Float32Array.from({ length: 32 * 32 }, (_, i) => {
      const [row, column] = [Math.floor(i / 32), i % 32];
      return row === 31 - column ? gamma[column]! : 0;
    });
    using plain = await loadVit(gpu, { config: small, weights });
    using model = await loadVit(gpu, { config: small, weights }, { finalLayer: { weight: swapped, bias: beta } });
    const request = { patches: true, patchMean: true, blockPatches: [0] } as const;
    const before = await plain.run(images(1, 28, 28), request);
    const after = await model.run(images(1, 28, 28), request);
    const mirrored = (tokens: Float32Array) => tokens.map((_, i) => tokens[i - (i % 32) + 31 - (i % 32)]!);
    // one product with 1 and 31 with 0 on either side of the same norm
    expect(largestDifference(after.patches, mirrored(before.patches))).toBeLessThan(1e-6);
    expect(largestDifference(after.patchMean, mirrored(before.patchMean))).toBeLessThan(1e-6);
    expect(largestDifference(after.blockPatches[0]!, mirrored(before.blockPatches[0]!))).toBeLessThan(1e-6);
    expect(after.cls).toEqual(before.cls);
  });

  test('answers calls made at once as if made in turn', async () => {
    using model = await loadVit(gpu, { config: small, weights });
    const one = images(1, 28, 28);
    const other = { ...one, data: one.data.map((value) => -value) };
    const [a, b, c] = await Promise.all([
      model.run(one, { patches: true }),
      model.run(other, { patches: true }),
      model.run(one, { blockCls: [-1, 1, 0] }),
    ]);
    expect(await model.run(one, { patches: true })).toEqual(a);
    expect(await model.run(other, { patches: true })).toEqual(b);
    expect(b.cls).not.toEqual(a.cls);
    expect(c.blockCls.slice(0, 2)).toEqual([a.cls, a.cls]);
  });

  test('a call that fails does not stop those after it', async () => {
    using model = await loadVit(gpu, { config: small, weights });
    const [bad, good] = await Promise.allSettled([
      model.run(images(1, 28, 28), { blockCls: [2] }),
      model.run(images(1, 28, 28)),
    ]);
    expect(bad).toMatchObject({ reason: { code: 'config', message: expect.stringMatching(/block 2 does not exist/) } });
    expect(good.status).toBe('fulfilled');
  });

  test('what is prepared is compiled once, and serves smaller requests', async () => {
    using model = await loadVit(gpu, { config: small, weights });
    await model.prepare([1, 3, 28, 28], { patches: true, blockCls: [0] });
    const bytes = gpu.allocatedBytes;
    await model.run(images(1, 28, 28));
    await model.run(images(1, 28, 28), { blockCls: [-2], patches: true });
    expect(gpu.allocatedBytes).toBe(bytes);
    await model.run(images(1, 28, 28), { qkv: true });
    expect(gpu.allocatedBytes).toBeGreaterThan(bytes);
  });

  test('plans of the last eight sizes are kept, so that memory is bounded', async () => {
    using model = await loadVit(gpu, { config: small, weights });
    const bytesAfter = async (columns: number) => {
      await model.run(images(1, 7, 7 * columns));
      return gpu.allocatedBytes;
    };
    const first = await model.run(images(1, 7, 7));
    for (let columns = 2; columns <= 8; columns++) await bytesAfter(columns);
    // the first size again, so that the second is the one not used for longest
    const full = await bytesAfter(1);
    const ninth = await bytesAfter(9);
    expect(await bytesAfter(1)).toBe(ninth);
    const other = await bytesAfter(2);
    // nine columns instead of two, and two instead of three: plans grow with the size of their images
    expect(ninth).toBeGreaterThan(full);
    expect(other).toBeLessThan(ninth);
    expect(await model.run(images(1, 7, 7))).toEqual(first);
    const rounds: number[] = [];
    for (let i = 0; i < 18; i++) rounds.push(await bytesAfter(1 + (i % 9)));
    expect(rounds[17]).toBe(rounds[8]);
  });

  test('what is prepared has its kernels compiled, and hears of it once', async () => {
    await using own = await openGpu({ adapter: 'software' });
    using model = await loadVit(own, { config: small, weights });
    const said: number[][] = [];
    const onProgress = (...counts: number[]) => said.push(counts);
    const ended = AbortSignal.abort();
    await expect(model.prepare([1, 3, 28, 28], {}, { onProgress, signal: ended })).rejects.toThrow(/aborted/);
    expect(said).toEqual([]);
    await model.prepare([1, 3, 28, 28], {}, { onProgress });
    const [done, total] = said.at(-1)!;
    expect(done).toBe(total);
    expect(said).toHaveLength(total! + 1);
    await model.prepare([1, 3, 28, 28], {}, { onProgress });
    expect(said).toHaveLength(total! + 1);
  });

  test('runs in f16 close to f32', async (context) => {
    context.skip(!gpu.target.f16, 'the adapter has no f16');
    using full = await loadVit(gpu, { config: small, weights });
    using half = await loadVit(gpu, { config: small, weights }, { dtype: 'f16' });
    const [a, b] = [await full.run(images(1, 28, 28)), await half.run(images(1, 28, 28))];
    // normalised outputs of size about 3 with 11-bit activations through 2 blocks
    expect(largestDifference(a.cls, b.cls)).toBeLessThan(0.02);
  });

  test('refuses images that do not divide into patches, and missing or misshapen weights', async () => {
    using model = await loadVit(gpu, { config: small, weights });
    await expect(model.run(images(1, 30, 28))).rejects.toThrow(
      /multiples of the patch size 7; crop or pad them with fitImages/,
    );
    await expect(loadVit(gpu, { config: small, weights: () => undefined })).rejects.toThrow(
      /no weights for "cls_token"/,
    );
    await expect(
      loadVit(gpu, { config: small, weights: (name) => (name === 'pos_embed' ? [0] : values[name]) }),
    ).rejects.toThrow(/"pos_embed" has 1 values, the model needs \[1, 17, 32\]/);
  });
});

test('a model on a state reads the weights as they are when a batch runs, and leaves the state alone', async () => {
  const named = Object.fromEntries(
    Object.entries(vitSpecs(small)).map(([name, { shape, dtype }]) => [`backbone.${name}`, { shape, dtype }]),
  );
  using state = createState(gpu, { teacher: named, student: named });
  for (const [name, value] of Object.entries(values)) state.write('teacher', `backbone.${name}`, value);
  using loaded = await loadVit(gpu, { config: small, weights });
  const expected = await loaded.run(images(1, 28, 28));
  const model = vitOnState(gpu, { state, group: 'teacher', prefix: 'backbone' }, small);
  expect(await model.run(images(1, 28, 28))).toEqual(expected);
  state.write('teacher', 'backbone.norm.bias', new Float32Array(32).fill(1));
  const { cls } = await model.run(images(1, 28, 28));
  expect(
    largestDifference(
      cls,
      expected.cls.map((value) => value + 1),
    ),
  ).toBeLessThan(1e-5);
  model.dispose();
  expect((await state.read('teacher', 'backbone.norm.bias'))[0]).toBe(1);
});
