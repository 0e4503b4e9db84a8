/** Gradient norms against sums in f64, with kernels of both families: of parameters of less than a block, and of one whose blocks a GPU sums up in pieces. */
import { compile, createState, store } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { normals } from '@franca/tensor/testing';
import { describe, expect, test } from 'vitest';
import { gradientNorms } from './gradient-norms';

// 4098 blocks of 128 elements, and three elements more
const specs = {
  small: { shape: [7, 43], dtype: 'f32' },
  large: { shape: [4098 * 128 + 3], dtype: 'f32' },
  tiny: { shape: [1], dtype: 'f32' },
} as const;
const names = Object.keys(specs) as (keyof typeof specs)[];
const values = Object.fromEntries(
  names.map((name, i) => [
    name,
    Float32Array.from(
      normals(
        specs[name].shape.reduce((a, b) => a * b),
        i + 1,
      ),
    ),
  ]),
);

describe.each(['cpu', 'gpu'] as const)('%s kernels', (family) => {
  test('squared norms of all parameters, and the same bits again', async () => {
    await using gpu = await openGpu({ target: { family } });
    using state = createState(gpu, { g: specs });
    using step = await compile(
      gpu,
      (s, batch) => {
        const windows = store(s.g, batch);
        const { squaredNorms, norms } = gradientNorms(windows, state.layout.g, ['a', 'b', 'a'], undefined);
        return { squaredNorms, norms };
      },
      { state, batch: specs },
    );
    const longest = Math.max(...step.plan.steps.map((step) => (step.kind === 'kernel' ? step.kernel.serial : 0)));
    if (family === 'gpu') expect(longest).toBeLessThanOrEqual(64);
    const runs = [];
    for (let i = 0; i < 2; i++) {
      step.run(values);
      runs.push([await step.read('squaredNorms'), await step.read('norms')].map((list) => Array.from(list)));
    }
    const squares = names.map((name) => values[name]!.reduce((sum, value) => sum + value * value, 0));
    const [squaredNorms, norms] = runs[0]!;
    const expected = [Math.sqrt(squares[0]! + squares[2]!), Math.sqrt(squares[1]!)];
    for (const [i, square] of squares.entries()) expect(squaredNorms![i]! / square).toBeCloseTo(1, 5);
    for (const [i, norm] of expected.entries()) expect(norms![i]! / norm).toBeCloseTo(1, 5);
    expect(runs[1]).toEqual(runs[0]);
  });
});
