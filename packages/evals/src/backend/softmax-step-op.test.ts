import { compile, type Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { softmaxResidual } from './softmax-residual';
import { softmaxStep } from './softmax-step-op';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

/** One row: from logits `from` at `label`, by `moved`. */
interface Case {
  readonly from: readonly number[];
  readonly moved: readonly number[];
  readonly label: number;
}

/** In f64: residuals and losses before and after. */
function exact({ from, moved, label }: Case) {
  const [before, after] = [
    Float64Array.from(from),
    Float64Array.from(from, (value, c) => value + Math.fround(moved[c]!)),
  ];
  const loss = -softmaxResidual(before, label) + softmaxResidual(after, label);
  return { loss, change: after.map((value, c) => value - before[c]!) };
}

async function onDevice(cases: readonly Case[]) {
  const [rows, classes] = [cases.length, cases[0]!.from.length];
  const shape = [rows, classes];
  using step = await compile(
    gpu,
    (_, { moved, biases, before, labels }) => ({ ...softmaxStep(moved, biases, { before, labels }) }),
    {
      batch: {
        moved: { shape, dtype: 'f32' },
        biases: { shape: [classes], dtype: 'f32' },
        before: { shape, dtype: 'f32' },
        labels: { shape: [rows], dtype: 'i32' },
      },
    },
  );
  const before = cases.flatMap(({ from, label }) => {
    const p = Float64Array.from(from);
    p[label] = Math.exp(-softmaxResidual(p, label));
    return [...p].map((value) => Math.max(1e-37, value));
  });
  step.run({
    moved: Float32Array.from(cases.flatMap(({ moved }) => moved)),
    biases: new Float32Array(classes),
    before: Float32Array.from(before),
    labels: Int32Array.from(cases, ({ label }) => label),
  });
  return { change: await step.read('change'), losses: await step.read('losses') };
}

/** A team of lanes has a row of many classes, a lane one of few. */
test.each([3, 40])('changes of %i classes are as exact as they are small', async (classes) => {
  const spread = Array.from({ length: classes }, (_, c) => Math.sin(7 * c));
  const cases: Case[] = [1e-6, 1e-3, 1, 30].flatMap((by) =>
    [0, 15].flatMap((lead) =>
      [0, 2].map((label) => ({
        from: spread.map((value, c) => value + (c === 0 ? lead : 0)),
        moved: spread.map((_, c) => by * Math.cos(3 * c + label)),
        label,
      })),
    ),
  );
  const { change, losses } = await onDevice(cases);
  for (const [i, each] of cases.entries()) {
    const want = exact(each);
    const largest = Math.max(...want.change.map(Math.abs));
    // sums of up to 40 terms of a few roundings each; where another class has nearly all, the change is one of numbers as large as the step
    const lead = each.from[0]! > 10 && each.label !== 0 ? Math.max(...each.moved.map(Math.abs)) : 0;
    const tolerance = 20 * 2 ** -24 * (largest + lead);
    expect(Math.abs(losses[i]! - want.loss)).toBeLessThan(Math.max(20 * 2 ** -24 * Math.abs(want.loss), tolerance));
    for (let c = 0; c < classes; c++)
      expect(Math.abs(change[i * classes + c]! - want.change[c]!)).toBeLessThan(tolerance);
  }
});

test('steps beyond the range of exp, and back, are finite and right', async () => {
  const cases: Case[] = [
    { from: [0, 0, 0], moved: [300, -300, 0], label: 1 },
    { from: [0, 60, 0], moved: [100, 0, 0], label: 0 },
    { from: [0, 70, 0], moved: [70, 0, 0], label: 0 },
  ];
  const { change, losses } = await onDevice(cases);
  for (const [i, each] of cases.entries()) {
    const want = exact(each);
    expect(losses[i]! / want.loss).toBeCloseTo(1, 5);
    for (let c = 0; c < 3; c++) expect(change[3 * i + c]).toBeCloseTo(want.change[c]!, 5);
  }
});
