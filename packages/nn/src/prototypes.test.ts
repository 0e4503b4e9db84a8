import { compile, createState, type Gpu, grad, mul, sliceAxis, store, sum, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { normals, relativeError } from '@franca/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initialise } from './initialise';
import { parametersOf } from './parameters';
import { planChunks, prototypeLogits, prototypeSpecs, prototypesOf } from './prototypes';
import { softTargets, targetCrossEntropy, targetProbabilities } from './soft-targets';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

describe('chunks', () => {
  test('cover all prototypes once, equal in size, at multiples of 64', () => {
    const { chunks } = planChunks({ count: 131072, width: 384, rows: 320 });
    expect(chunks[0]!.first).toBe(0);
    expect(chunks.at(-1)!.end).toBe(131072);
    chunks.forEach(({ first, end }, i) => {
      expect(first).toBe(chunks[i - 1]?.end ?? 0);
      expect(first % 64).toBe(0);
      expect((end - first) * 384 * 4).toBeLessThanOrEqual(2 ** 26);
    });
  });
  test('are one where everything fits, whatever the number of prototypes', () => {
    expect(planChunks({ count: 101, width: 16, rows: 7 }).chunks).toEqual([{ first: 0, end: 101 }]);
  });
  test('are computed again only when all logits together are too large to keep', () => {
    const size = { count: 131072, width: 256, rows: 3129 };
    expect(planChunks(size).recompute).toBe(true);
    expect(planChunks(size, { keepBytes: 2 ** 31 }).recompute).toBe(false);
  });
});

test('kept in one chunk, kept in three and recomputed: the same loss and the same gradients', async () => {
  const [K, b, R, T] = [190, 8, 12, 4];
  const size = { count: K, width: b, rows: R };
  const plans = [
    planChunks(size),
    planChunks(size, { chunkBytes: 64 * 4 * R }),
    planChunks(size, { chunkBytes: 64 * 4 * R, keepBytes: 0 }),
  ];
  expect(plans.map(({ chunks, recompute }) => [chunks.length, recompute])).toEqual([
    [1, false],
    [3, false],
    [3, true],
  ]);
  const specs = prototypeSpecs(K, b);
  const kept = ['a', 'b', 'c'] as const;
  using state = createState(gpu, { student: specs, teacher: specs, a: specs, b: specs, c: specs });
  for (const group of ['student', 'teacher'] as const)
    await initialise(gpu, state, group, specs, group === 'student' ? 1 : 2);
  using step = await compile(
    gpu,
    (s, { z, y, bias }) =>
      plans.map((plan, i) => {
        const of = (group: 'student' | 'teacher') => prototypesOf(parametersOf(s[group].tensors));
        const student = prototypeLogits(z, of('student'), { temperature: 0.1, plan });
        const teacher = prototypeLogits(y, of('teacher'), { temperature: 0.05, plan });
        const targets = softTargets(teacher, (j) => sliceBias(bias, plan.chunks[j]!));
        const loss = sum(mul(targetCrossEntropy(student, targets, { own: T, views: 2 }), 0.25));
        const { z: dz, ...weights } = grad(loss, { ...s.student.tensors, z });
        store(s[kept[i]!], weights);
        return { loss, dz: dz, probabilities: targetProbabilities(targets) };
      }),
    { state, batch: { z: f32(R, b), y: f32(T, b), bias: f32(K) } },
  );
  step.run({ z: normals(R * b, 1), y: normals(T * b, 2), bias: normals(K, 3) });
  for (const i of [1, 2]) {
    for (const part of ['loss', 'dz', 'probabilities'] as const)
      expect(relativeError(await step.read(`${i}.${part}`), await step.read(`0.${part}`))).toBeLessThan(1e-5);
    for (const name of Object.keys(specs))
      expect(relativeError(await state.read(kept[i]!, name), await state.read('a', name))).toBeLessThan(1e-5);
  }
});

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const });
const sliceBias = (bias: Tensor, { first, end }: { first: number; end: number }): Tensor =>
  sliceAxis(bias, 0, first, end);
