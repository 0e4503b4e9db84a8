import {
  defaultTarget,
  type Gpu,
  grad,
  input,
  interpret,
  layerNorm,
  mul,
  planStep,
  spec,
  square,
  sum,
} from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { checkOp, normals } from '@franca/tensor/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dropPathPerSample, dropPathSubset, keptSamples } from './drop-path';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test('at least one sample is kept', () => {
  expect([keptSamples(10, 0.3), keptSamples(10, 0), keptSamples(3, 0.9), keptSamples(1, 0.99)]).toEqual([7, 10, 1, 1]);
});
test('the subset form runs the branch on the kept rows, scaled by B / kept, with gradient', async () => {
  const x = normals(4 * 3);
  const kept = [2, 0];
  const tensor = input('x', [4, 3]);
  const out = dropPathSubset(tensor, input('kept', [2], 'u32'), (rows) => mul(rows, 3));
  const values = interpret([out], { x, kept }).value(out).data;
  values.forEach((value, i) => {
    const row = Math.floor(i / 3);
    expect(value).toBeCloseTo(x[i]! * (kept.includes(row) ? 1 + (3 * 4) / 2 : 1), 12);
  });
  await checkOp(gpu, (a, list) => dropPathSubset(a, list, (rows) => mul(rows, rows)), [
    { shape: [4, 3] },
    { shape: [2], dtype: 'u32', values: kept },
  ]);
});
test('the kept rows are not copied: the norm reads them where they lie, forward and backward, and what is scattered is added at once', () => {
  const { steps } = planStep(
    defaultTarget,
    {},
    (_, { x, w, b, kept }) => {
      const out = dropPathSubset(x, kept, (rows) => layerNorm(rows, w, b));
      return grad(sum(square(out)), { x, w, b });
    },
    { batch: { x: spec([8, 3, 16]), w: spec([16]), b: spec([16]), kept: spec([5], 'u32') } },
  );
  const labels = steps.map((step) => (step.kind === 'kernel' ? step.kernel.label : step.kind));
  expect([...new Set(labels)]).toEqual([
    'rowPositions',
    'layerNorm',
    // the scale, which a product at the end of a branch takes in
    'mul',
    'scatterAddRows+add+broadcast+mul+mul+add',
    'gatherRows+mul',
    'layerNormParameterGradient',
    'layerNormInputGradient+add',
  ]);
});
test('a part of the samples takes the scale of all of them, and rows that only fill the list add nothing', async () => {
  const x = normals(4 * 3);
  const tensor = input('x', [4, 3]);
  const [kept, scales] = [input('kept', [3], 'u32'), input('scales', [3])];
  const out = dropPathSubset(tensor, kept, (rows) => mul(rows, 3), scales);
  const values = interpret([out], { x, kept: [2, 0, 1], scales: [1.5, 1.5, 0] }).value(out).data;
  values.forEach((value, i) => {
    const row = Math.floor(i / 3);
    expect(value).toBeCloseTo(x[i]! * ([0, 2].includes(row) ? 1 + 3 * 1.5 : 1), 12);
  });
  await checkOp(gpu, (a, list, own) => dropPathSubset(a, list, (rows) => mul(rows, rows), own), [
    { shape: [4, 3] },
    { shape: [3], dtype: 'u32', values: [2, 0, 1] },
    { shape: [3], values: [1.5, 1.5, 0] },
  ]);
});
test('the per-sample form divides what it keeps by the keep probability, so the mean over masks is the full branch', () => {
  const x = normals(2 * 3);
  const rate = 0.25;
  const out = dropPathPerSample(input('x', [2, 3]), input('mask', [2]), rate, (rows) => mul(rows, 3));
  const at = (mask: number[]) => interpret([out], { x, mask }).value(out).data;
  const [dropped, whole] = [at([0, 0]), at([1, 1])];
  dropped.forEach((value, i) => {
    expect(value).toBe(x[i]);
    expect(rate * value + (1 - rate) * whole[i]!).toBeCloseTo(4 * x[i]!, 12);
  });
});
