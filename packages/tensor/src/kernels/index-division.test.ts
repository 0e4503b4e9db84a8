import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile } from '../compile';
import type { Gpu } from '../device/gpu';
import type { Op } from '../graph/op';
import { record } from '../graph/record';
import { openGpu } from '../node';
import { indexDivision } from './index-division';
import { kernelBuilder } from './kernel-builder';
import { unitKernel } from './unit-kernel';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

/** Quotient and remainder of each index by n, as a kernel computes them that is made for indices below `bound`. */
const divideOp: Op<{ n: number; bound: number }> = {
  name: 'divide',
  infer: ([x]) => [x!, x!],
  reference: () => [],
  lower({ inputs: [x], outputs: [q, r], attrs: { n, bound }, target }) {
    const k = kernelBuilder('divide', target);
    const [X, Q, R] = [k.read(x!), k.write(q!), k.write(r!)];
    const { quotient, remainder } = indexDivision(k, n, bound);
    const index = `${X}[i]`;
    return [
      unitKernel(k, {
        units: x!.shape[0]!,
        body: `  ${Q}[i] = ${quotient(index)}; ${R}[i] = ${remainder(index)};`,
      }),
    ];
  },
};

const BOUND = 2 ** 22;

test.each([
  [BOUND, [1, 2, 3, 5, 7, 24, 96, 255, 257, 1000, 4093, 65_537, 1_048_573, BOUND - 1, BOUND]],
  [2 ** 32, [1, 3, 96, 65_537, 2 ** 31 - 1]],
])('indices below %d, the ones beside every kind of multiple', async (bound, divisors) => {
  for (const n of divisors) {
    const whole = Math.floor((bound - 1) / n);
    const multiples = Array.from({ length: 500 }, (_, j) => Math.round((whole * j) / 499));
    const indices = multiples
      .flatMap((m) => [m * n - 1, m * n, m * n + 1, m * n + (n >> 1)])
      .filter((i) => i >= 0 && i < bound);
    using step = await compile(
      gpu,
      (_, { x }) => {
        const [q, r] = record(divideOp, [x], { n, bound });
        return { q, r };
      },
      { batch: { x: { shape: [indices.length], dtype: 'u32' } } },
    );
    step.run({ x: Uint32Array.from(indices) });
    expect(Array.from(await step.read('q'))).toEqual(indices.map((i) => Math.floor(i / n)));
    expect(Array.from(await step.read('r'))).toEqual(indices.map((i) => i % n));
  }
});
