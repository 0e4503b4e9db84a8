import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../../compile';
import type { Gpu } from '../../device/gpu';
import type { Spec, Tensor } from '../../graph/op';
import { openGpu } from '../../node';
import { grad, remat } from '../../passes/grad';
import { checkOp, normals, relativeError } from '../../testing';
import { add, mul } from '../elementwise';
import { sum } from '../reduce';
import { sliceAxis } from '../slice';
import { softCrossEntropy, softCrossEntropyChunk, type TargetPairing } from './soft-cross-entropy';
import { logSoftmax, softmax } from './softmax';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const constants = { differentiate: false };
const whole = (pairing: TargetPairing) => (x: Tensor, logits: Tensor, bias: Tensor) =>
  softCrossEntropy(softCrossEntropyChunk(x, { logits, bias }, pairing), pairing);

describe.each([
  ['one target per row', 5, 5, { own: 5, views: 1 }],
  ['rows of their own, then rows with two targets', 10, 4, { own: 4, views: 2 }],
  ['only rows with three targets', 8, 6, { own: 0, views: 3 }],
] as const)('%s', (_, R, T, pairing) => {
  test.each([1, 7, 64, 260])('%d classes, with gradient', async (K) => {
    await checkOp(gpu, whole(pairing), [
      { shape: [R, K] },
      { shape: [T, K], ...constants },
      { shape: [K], ...constants },
    ]);
  });
  test('statistics carried over two chunks', async () => {
    await checkOp(
      gpu,
      (x, y, bias, x2, y2, bias2) => {
        const first = softCrossEntropyChunk(x, { logits: y, bias }, pairing);
        return softCrossEntropyChunk(x2, { logits: y2, bias: bias2 }, pairing, first);
      },
      [8, 12].flatMap((K) => [{ shape: [R, K] }, { shape: [T, K], ...constants }, { shape: [K], ...constants }]),
    );
  });
});

test('is the cross-entropy of two softmaxes', async () => {
  const [R, K] = [3, 20];
  const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
  using step = await compile(
    gpu,
    (_, { x, y, bias }) => ({
      fused: whole({ own: R, views: 1 })(x, y, bias),
      plain: mul(sum(mul(softmax(add(y, bias)), logSoftmax(x)), [1]), -1),
    }),
    { batch: { x: f32(R, K), y: f32(R, K), bias: f32(K) } },
  );
  step.run({ x: normals(R * K, 1), y: normals(R * K, 2), bias: normals(K, 3) });
  expect(relativeError(await step.read('fused'), await step.read('plain'))).toBeLessThan(1e-6);
});

test('chunks, kept or computed again in the backward pass, give the value and gradient of the whole', async () => {
  const [R, T, K] = [12, 4, 192];
  const pairing = { own: 4, views: 2 };
  const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
  const inChunks = (x: Tensor, y: Tensor, bias: Tensor, again: boolean): Tensor => {
    let stats: Tensor | undefined;
    for (let k = 0; k < K; k += 64) {
      const run = () =>
        softCrossEntropyChunk(
          sliceAxis(x, 1, k, k + 64),
          { logits: sliceAxis(y, 1, k, k + 64), bias: sliceAxis(bias, 0, k, k + 64) },
          pairing,
          stats,
        );
      stats = again ? remat(run) : run();
    }
    return softCrossEntropy(stats!, pairing);
  };
  using step = await compile(
    gpu,
    (_, { x, y, bias }) => {
      const losses = [whole(pairing)(x, y, bias), inChunks(x, y, bias, false), inChunks(x, y, bias, true)];
      return { losses, grads: losses.map((loss) => grad(sum(mul(loss, loss)), [x])[0]!) };
    },
    { batch: { x: f32(R, K), y: f32(T, K), bias: f32(K) } },
  );
  step.run({ x: normals(R * K, 1).map((v) => 10 * v), y: normals(T * K, 2).map((v) => 30 * v), bias: normals(K, 3) });
  for (const kind of ['losses', 'grads'] as const) {
    const expected = await step.read(`${kind}.0`);
    // exponents reach 100, of which one rounding is 6e-6
    for (const i of [1, 2]) expect(relativeError(await step.read(`${kind}.${i}`), expected)).toBeLessThan(1e-5);
  }
});

test('without subgroups, and in the other kernel family', async () => {
  for (const target of [{ subgroupSize: undefined }, { family: 'gpu' as const }]) {
    await using other = await openGpu({ target });
    await checkOp(other, whole({ own: 2, views: 2 }), [
      { shape: [6, 40] },
      { shape: [2, 40], ...constants },
      { shape: [40], ...constants },
    ]);
  }
});

test('logits stored in f16', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  const pairing = { own: 4, views: 1 };
  // multiples of 1/64 are exact in f16, so all that rounds is the gradient, to 11 bits
  const logits = (seed: number) => ({
    shape: [4, 24],
    dtype: 'f16' as const,
    values: normals(96, seed).map((value) => Math.round(64 * value) / 64),
  });
  const inputs = [logits(1), { ...logits(2), ...constants }, { shape: [24], ...constants }];
  await checkOp(gpu, whole(pairing), inputs, { tolerance: 1e-5, gradientTolerance: 1e-3 });
});

test('targets that cannot be paired are refused', async () => {
  const inputs = [{ shape: [4, 3] }, { shape: [3, 3] }, { shape: [3] }];
  await expect(checkOp(gpu, whole({ own: 0, views: 2 }), inputs)).rejects.toThrow(
    '0 rows of their own and 2 views do not fit 4 rows and 3 targets',
  );
});
