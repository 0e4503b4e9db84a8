import { koleoLoss } from '@franca/losses';
import { add, compile, constant, type Gpu, mul, sliceAxis, type TensorTree } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { koleoInGroups } from './koleo-in-groups';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test('neighbours are those of a group, or all images of the view', async () => {
  const [b, D] = [4, 8];
  using step = await compile(gpu, (): TensorTree => {
    const cls = constant(
      Float32Array.from({ length: 2 * b * D }, (_, i) => Math.sin(1 + i * i * 0.37)),
      [2 * b, D],
    );
    const of = (first: number, end: number) => koleoLoss(sliceAxis(cls, 0, first, end));
    const own = (group: number, koleoDistributed: boolean) =>
      koleoInGroups(cls, {
        batch: { perDevice: b, group, accumulation: 1 },
        ranks: { rank: 0, size: 1 },
        koleoDistributed,
      });
    return {
      grouped: own(2, false),
      pairs: [mul(add(of(0, 2), of(2, 4)), 0.5), mul(add(of(4, 6), of(6, 8)), 0.5)],
      distributed: own(2, true),
      one: own(4, false),
      all: [of(0, 4), of(4, 8)],
    };
  });
  step.run();
  const read = async (name: string) => [(await step.read(`${name}.0`))[0]!, (await step.read(`${name}.1`))[0]!];
  expect(await read('grouped')).toEqual(await read('pairs'));
  expect(await read('one')).toEqual(await read('all'));
  expect(await read('distributed')).toEqual(await read('all'));
  expect(await read('distributed')).not.toEqual(await read('grouped'));
});
