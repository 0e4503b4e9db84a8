import { f16round } from '@petamoriken/float16';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DType } from '../base/dtype';
import { type Shape, sizeOf } from '../base/shape';
import type { Gpu } from '../device/gpu';
import { openGpu } from '../node';
import { type CheckInput, checkOp, normals } from '../testing';
import { ELEMENTWISE_CASES, type ElementwiseCase } from '../testing/elementwise-cases';
import * as elementwise from './elementwise';
import { mean } from './extrema';
import { matmul } from './matmul/matmul';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test('every elementwise op that there is, is tested', () => {
  expect(Object.keys(ELEMENTWISE_CASES).sort()).toEqual(Object.keys(elementwise).sort());
});

/** Inputs in the domain of the op; those of f16 are exact in it. */
const inputsOf = ({ domain = (x) => x }: ElementwiseCase, shapes: readonly Shape[], dtype: DType): CheckInput[] =>
  shapes.map((shape, i) => {
    const values = normals(sizeOf(shape), i + 1).map(domain);
    return { shape, dtype, values: dtype === 'f16' ? values.map(f16round) : values };
  });

describe.each(Object.entries(ELEMENTWISE_CASES))('%s', (_, op) => {
  // vectors of four, single elements, and operands that broadcast both ways
  const shapes: Shape[][] =
    op.operands === 1
      ? [[[4, 16]], [[37]]]
      : [
          [
            [3, 1, 5],
            [7, 1],
          ],
        ];

  test.for(shapes)('of f32 %j', async (own) => {
    // f32 rounds to 24 bits, and WGSL's exp and tanh leave a few units of the last place
    await checkOp(gpu, (a, b) => op.build(a, b), inputsOf(op, own, 'f32'), {
      tolerance: 1e-6,
      gradientTolerance: 1e-5,
      gradient: op.gradient ?? true,
    });
  });
  test.for(shapes)('of f16 %j', async (own, context) => {
    context.skip(!gpu.target.f16, 'the adapter has no f16');
    // results are rounded to 11 bits, gradients on the way to several results
    await checkOp(gpu, (a, b) => op.build(a, b), inputsOf(op, own, 'f16'), {
      tolerance: 2 ** -11,
      gradientTolerance: 2 ** -9,
      gradient: op.gradient ?? true,
    });
  });
});

test('a linear layer with bias and GELU', async () => {
  await checkOp(gpu, (x, w, b) => mean(elementwise.gelu(elementwise.add(matmul(x, w, { transposeB: true }), b)), [0]), [
    { shape: [2, 3, 8] },
    { shape: [12, 8] },
    { shape: [12] },
  ]);
});
