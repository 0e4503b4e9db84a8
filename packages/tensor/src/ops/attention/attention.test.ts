import { f16round } from '@petamoriken/float16';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Target } from '../../base/target';
import { compile } from '../../compile';
import type { Gpu } from '../../device/gpu';
import type { Tensor } from '../../graph/op';
import { openGpu } from '../../node';
import { grad } from '../../passes/grad';
import { interpret } from '../../passes/interpret';
import { type CheckOptions, checkOp, normals } from '../../testing';
import { concat } from '../concat';
import { mul } from '../elementwise';
import { sum } from '../reduce';
import { sliceAxis } from '../slice';
import { input } from '../sources';
import { reshape } from '../views';
import { attention, attentionProbabilities, scaledDotProductAttention, segmentAttention } from './attention';
import type { TokenSegment } from './problem';

/** softmax(q k^T / sqrt(d)) v by the definition, on the packed layout. */
function byDefinition(
  qkv: ArrayLike<number>,
  [B, N, width]: readonly [number, number, number],
  heads: number,
): Float64Array {
  const D = width / 3;
  const d = D / heads;
  const out = new Float64Array(B * N * D);
  const at = (b: number, n: number, part: number, h: number, c: number): number =>
    qkv[(b * N + n) * width + part * D + h * d + c]!;
  for (let b = 0; b < B; b++)
    for (let h = 0; h < heads; h++)
      for (let n = 0; n < N; n++) {
        const logits = Array.from({ length: N }, (_, m) => {
          let sum = 0;
          for (let c = 0; c < d; c++) sum += at(b, n, 0, h, c) * at(b, m, 1, h, c);
          return sum / Math.sqrt(d);
        });
        const top = Math.max(...logits);
        const weights = logits.map((value) => Math.exp(value - top));
        const total = weights.reduce((x, y) => x + y);
        weights.forEach((weight, m) => {
          for (let c = 0; c < d; c++) out[(b * N + n) * D + h * d + c]! += (weight / total) * at(b, m, 2, h, c);
        });
      }
  return out;
}

const SEGMENTS = [
  { B: 2, N: 5 },
  { B: 1, N: 18 },
];

test('attention reads q, k and v of every head from the packed projection', () => {
  const shape = [2, 5, 24] as const;
  const values = normals(2 * 5 * 24);
  const out = attention(input('qkv', shape), 2);
  const result = interpret([out], { qkv: values }).value(out);
  expect(result.shape).toEqual([2, 5, 8]);
  byDefinition(values, shape, 2).forEach((value, i) => {
    expect(result.data[i]).toBeCloseTo(value, 12);
  });
});

test('shapes that do not fit are refused when recorded', () => {
  expect(() => attention(input('x', [2, 5, 10]), 2)).toThrow(
    /attention: needs \[B, N, 3 \* 2 \* d\].*got \[2, 5, 10\]/,
  );
  expect(() => attention(input('x', [2, 5, 24]), 0)).toThrow(/positive number of heads, got 0/);
  expect(() => segmentAttention(input('x', [22, 24]), 2, SEGMENTS)).toThrow(
    /segmentAttention: needs \[28, 3 \* 2 \* d\]: tokens of 2 x 5 \+ 1 x 18, got \[22, 24\]/,
  );
  expect(() => segmentAttention(input('x', [22, 24]), 2, [])).toThrow(/at least one segment/);
  expect(() =>
    scaledDotProductAttention(input('q', [1, 2, 3, 4]), input('k', [1, 2, 5, 8]), input('v', [1, 2, 5, 4])),
  ).toThrow(/scaledDotProductAttention: needs q \[B, H, N, d\]/);
});

// f32 sums of at most a few hundred products of standard normals stay within the default tolerance of 1e-5; f16 results are rounded by 2^-11
// and the gradient passes through one rounded result more.
const gpus: Partial<Record<Target['family'], Gpu>> = {};
beforeAll(async () => {
  gpus.cpu = await openGpu();
  // 32 KiB of workgroup memory take tiles of 64 rows, up to 32 tokens tiles of 32 rows, as default limits do
  gpus.gpu = await openGpu({ target: { family: 'gpu', maxWorkgroupBytes: 32768 } });
});
afterAll(async () => {
  await gpus.cpu?.dispose();
  await gpus.gpu?.dispose();
});

describe.each([
  ['head by head through scratch memory', 'cpu'],
  ['tiles in workgroup memory', 'gpu'],
] as const)('%s', (_, family) => {
  const check = (
    shape: readonly [B: number, N: number, H: number, d: number],
    options: CheckOptions = {},
    given = {},
  ) => {
    const [B, N, H, d] = shape;
    return checkOp(gpus[family]!, (qkv) => attention(qkv, H), [{ shape: [B, N, 3 * H * d], ...given }], {
      ...options,
    });
  };

  test.each([
    ['one token', [1, 1, 1, 16]],
    ['fewer tokens than a vector', [2, 3, 2, 16]],
    ['a whole tile', [1, 32, 1, 32]],
    ['one token past a tile', [2, 33, 2, 20]],
    ['a prime length', [1, 67, 1, 16]],
    ['heads of an odd number of vectors', [2, 31, 1, 36]],
    ['the length of a 98-pixel crop', [2, 50, 3, 16]],
  ] as const)('%s', async (_, shape) => {
    await check(shape);
  });
  test('a length of 257', async () => {
    await check([1, 257, 1, 16], { directions: 1 });
  });
  test('a sequence of 1370 tokens', async () => {
    await check([1, 1370, 1, 16], { gradient: false, bitwise: false });
  });
  test('segments of images of two sizes get the bits that each gets alone, and so do their gradients', async () => {
    const [rows, width] = [28, 3 * 2 * 16];
    const both = (x: Tensor): Tensor => segmentAttention(x, 2, SEGMENTS);
    const alone = (x: Tensor): Tensor => {
      const part = (first: number, { B, N }: TokenSegment): Tensor =>
        reshape(attention(reshape(sliceAxis(x, 0, first, first + B * N), [B, N, width]), 2), [B * N, width / 3]);
      return concat([part(0, SEGMENTS[0]!), part(10, SEGMENTS[1]!)]);
    };
    const valueAndGradient = async (attend: (x: Tensor) => Tensor): Promise<unknown[]> => {
      const batch = { x: { shape: [rows, width], dtype: 'f32' } } as const;
      using step = await compile(
        gpus[family]!,
        (_, { x }) => {
          const value = attend(x);
          return { value, gradient: grad(sum(mul(value, value)), [x])[0]! };
        },
        { batch },
      );
      step.run({ x: normals(rows * width) });
      return [await step.read('value'), await step.read('gradient')];
    };
    expect(await valueAndGradient(both)).toEqual(await valueAndGradient(alone));
    await checkOp(gpus[family]!, both, [{ shape: [rows, width] }], { directions: 1 });
  });
  test('f16 storage', async (context) => {
    context.skip(!gpus[family]!.target.f16, 'the adapter has no f16');
    const values = normals(37 * 96).map(f16round);
    // the gradient's kernels differ from those of f32 only in their types: tested once
    const gradient = family === 'cpu';
    await check(
      [1, 37, 2, 16],
      { tolerance: 2 ** -11, gradientTolerance: 2 ** -10, gradient },
      { dtype: 'f16', values },
    );
  });
  test('logits of 10,000 and more', async () => {
    // Integers, so that logits are exact; the log-sum-exp then rounds by 2^-11 of itself, 5e-4 at 1e4, and the weights by as much.
    const values = normals(19 * 48, 7).map((value, i) => Math.round(i % 48 < 32 ? value * 60 : value));
    await check([1, 19, 1, 16], { gradientTolerance: 2e-3, differenceTolerance: Infinity }, { values });
  });
});

describe('on CPU adapters', () => {
  test('heads of 128', async () => {
    await checkOp(gpus.cpu!, (qkv) => attention(qkv, 1), [{ shape: [1, 21, 3 * 128] }]);
  });
  test('many heads of few tokens, which take turns in the scratch memory, get the bits that each gets alone', async () => {
    const gradientOf = async (values: Float32Array, B: number): Promise<Float32Array> => {
      const shape = [B, 61, 48];
      const square = (x: Tensor): Tensor => sum(mul(attention(x, 1), attention(x, 1)));
      using step = await compile(gpus.cpu!, (_, { qkv }) => grad(square(qkv), [qkv])[0], {
        batch: { qkv: { shape, dtype: 'f32' } },
      });
      step.run({ qkv: values });
      return (await step.read('result')) as Float32Array;
    };
    const [heads, size] = [300, 61 * 48];
    const values = Float32Array.from(normals(heads * size));
    const together = await gradientOf(values, heads);
    for (const head of [0, 149, 150, heads - 1]) {
      const part = (all: Float32Array): Float32Array => all.slice(head * size, (head + 1) * size);
      expect(part(together)).toEqual(await gradientOf(part(values), 1));
    }
  });
  test('a large problem: tall tiles, and heads that take turns in the scratch memory', async () => {
    await checkOp(gpus.cpu!, (qkv) => attention(qkv, 3), [{ shape: [1, 600, 3 * 3 * 24] }], {
      directions: 1,
      bitwise: false,
    });
  });
  test('a head size that only the materialised path takes', async () => {
    await checkOp(gpus.cpu!, (qkv) => attention(qkv, 2), [{ shape: [2, 5, 3 * 2 * 6] }]);
  });
  test('segments of such heads', async () => {
    await checkOp(gpus.cpu!, (qkv) => segmentAttention(qkv, 2, SEGMENTS), [{ shape: [28, 3 * 2 * 6] }]);
  });
  test('cross attention of 3 queries over 7 keys', async () => {
    await checkOp(gpus.cpu!, (...[q, k, v]) => scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor), [
      { shape: [1, 2, 3, 4] },
      { shape: [1, 2, 7, 4] },
      { shape: [1, 2, 7, 5] },
    ]);
  });
  test('attention probabilities', async () => {
    await checkOp(gpus.cpu!, (qkv) => attentionProbabilities(qkv, 2), [{ shape: [2, 5, 3 * 2 * 4] }]);
  });
});
