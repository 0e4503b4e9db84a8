/** KoLeo of rows that are spread over ranks: several steps on one device, which really exchange values. */
import { compile, constant, type Gpu, grad, mean, mul, type Tensor, type TensorTree } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lockstepRanks } from '../../../test/support/lockstep-ranks';
import { koleoLoss, koleoOverRanks } from './koleo';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const D = 8;
const rowsOf = (first: number, count: number): Tensor =>
  constant(
    Float32Array.from({ length: count * D }, (_, i) => Math.sin(1 + (first * D + i) ** 2 * 0.37)),
    [count, D],
  );

describe.each<[string, number, number, number]>([
  ['one batch over two ranks', 2, 3, 6],
  ['one batch over three ranks with a row each', 3, 1, 3],
  ['two batches over three ranks, of which one has a row of each', 3, 2, 3],
  ['two batches on one rank', 1, 6, 3],
])('%s', (_, size, b, group) => {
  const groups = (size * b) / group;

  test('loss and gradients are those of the batches by themselves', async () => {
    const steps = await Promise.all(
      lockstepRanks(size).map((ranks, rank) =>
        compile(
          gpu,
          (): TensorTree => {
            const x = rowsOf(rank * b, b);
            const mayBeNeighbours = (row: number, other: number) =>
              rank * b + row !== other && Math.floor((rank * b + row) / group) === Math.floor(other / group);
            const loss = mean(koleoOverRanks(x, { size, mayBeNeighbours }));
            return { loss, gradient: grad(mul(loss, 1 / size), [x])[0]! };
          },
          { ranks },
        ),
      ),
    );
    for (const step of steps) step.run();
    await Promise.all(steps.map((step) => step.done()));
    const losses = await Promise.all(steps.map(async (step) => (await step.read('loss'))[0]!));
    const gradients = await Promise.all(steps.map((step) => step.read('gradient')));
    for (const step of steps) step.dispose();

    using whole = await compile(gpu, (): TensorTree => {
      const batches = Array.from({ length: groups }, (__, i) => rowsOf(i * group, group));
      const terms = batches.map((x) => koleoLoss(x));
      return { terms, gradients: terms.map((loss, i) => grad(mul(loss, 1 / groups), [batches[i]!])[0]!) };
    });
    whole.run();
    const read = (name: string) => Promise.all(Array.from({ length: groups }, (__, i) => whole.read(`${name}.${i}`)));
    const average = (values: readonly number[]) => values.reduce((a, c) => a + c) / values.length;
    const expected = average((await read('terms')).map(([value]) => value!));
    expect(average(losses)).toBeCloseTo(expected, 6);
    const [actual, reference] = [gradients, await read('gradients')].map((parts) => parts.flatMap((part) => [...part]));
    // a gradient is a sum of a few terms of up to 1 over the distance, in f32
    actual!.forEach((value, i) => {
      expect(Math.abs(value - reference![i]!)).toBeLessThan(2e-6);
    });
  });
});

test('rows without a neighbour, rows of another shape and options that there are not are refused', () => {
  const mayBeNeighbours = (row: number, other: number) => row === 0 && other === 3;
  expect(() => koleoOverRanks(rowsOf(0, 2), { size: 2, mayBeNeighbours })).toThrow(
    'row 1 has no neighbour among the 4 rows of 2 ranks',
  );
  expect(() => koleoOverRanks(constant([1, 2], [2]), { size: 2, mayBeNeighbours })).toThrow(
    'rows of shape [2]: expected [b, D]',
  );
  expect(() => koleoOverRanks(rowsOf(0, 2), { size: 2, mayBeNeighbors: mayBeNeighbours } as never)).toThrow(
    'there is no option "mayBeNeighbors"',
  );
});
