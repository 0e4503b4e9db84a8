/** Targets and centres over ranks on the tensor engine: several steps on one device, which really exchange values. */
import { type Logits, planChunks, prototypeLogits, prototypesOf, targetProbabilities, wholeLogits } from '@franca/nn';
import { compile, defaultTarget, type Gpu, planStep, type Spec, type Tensor, type TensorTree } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockstepRanks } from '../../../test/support/lockstep-ranks';
import { nextCentersOf } from './centering';
import { sinkhornTargets } from './sinkhorn';
import { sinkhorn } from './sinkhorn-arrays';
import { sinkhornTargetsOverRanks, type Teacher } from './sinkhorn-over-ranks';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
const pattern = (count: number, scale: number) =>
  Float32Array.from({ length: count }, (_, i) => scale * Math.sin(1 + i * i * 0.37));

/** Runs a step once on each of `size` ranks with inputs of its own, and reads `paths` on each. */
async function onRanks(
  size: number,
  step: (batch: Record<string, Tensor>) => TensorTree,
  batch: Readonly<Record<string, Spec>>,
  inputs: (rank: number) => Readonly<Record<string, ArrayLike<number>>>,
  paths: readonly string[],
): Promise<Float32Array[][]> {
  const steps = await Promise.all(
    lockstepRanks(size).map((ranks) => compile(gpu, (_, own: Record<string, Tensor>) => step(own), { batch, ranks })),
  );
  steps.forEach((each, rank) => {
    each.run(inputs(rank));
  });
  await Promise.all(steps.map((each) => each.done()));
  const values = await Promise.all(
    steps.map((each) => Promise.all(paths.map(async (path) => Float32Array.from(await each.read(path))))),
  );
  for (const each of steps) each.dispose();
  return values;
}

const [B, K] = [12, 40];
const logits = pattern(B * K, 8);
// the samples that are no padding
const samples = [0, 1, 2, 3, 6, 7];
const valid = Array.from({ length: B }, (_, row) => Number(samples.includes(row)));
const ofSamples = (values: ArrayLike<number>) =>
  samples.flatMap((row) => Array.from(values).slice(row * K, (row + 1) * K));

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  expect(actual.length).toBe(expected.length);
  const errors = Array.from(actual, (value, i) => Math.abs(value - expected[i]!));
  expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance);
}

// with three ranks the last one has no sample at all
test.each([2, 3])(
  '%d ranks: targets of the f64 implementation on all samples, of two teachers at once',
  async (size) => {
    const rows = B / size;
    const own = (values: ArrayLike<number>, width: number, rank: number) =>
      Array.from(values).slice(rank * rows * width, (rank + 1) * rows * width);
    const values = await onRanks(
      size,
      (batch) => {
        const teachers = [
          { logits: wholeLogits(batch.logits!), valid: batch.valid! },
          { logits: wholeLogits(batch.other!) },
        ];
        return sinkhornTargetsOverRanks(teachers, { size }).map(targetProbabilities);
      },
      { logits: f32(rows, K), other: f32(rows, K), valid: f32(rows) },
      (rank) => ({ logits: own(logits, K, rank), other: own(logits, K, rank), valid: own(valid, 1, rank) }),
      ['0', '1'],
    );
    const [masked, whole] = [0, 1].map((i) => values.flatMap((rank) => [...rank[i]!]));
    const expected = sinkhorn(Float32Array.from(ofSamples(logits)), [samples.length, K], { temperature: 1 });
    // exponents up to 16 carry f32 rounding of 1e-6 each
    expectClose(ofSamples(masked!), expected, 5e-6);
    expect(masked!.every(Number.isFinite)).toBe(true);
    expectClose(whole!, sinkhorn(logits, [B, K], { temperature: 1 }), 5e-6);
  },
);

test('no sample on any rank gives finite numbers', async () => {
  const values = await onRanks(
    2,
    (batch) =>
      sinkhornTargetsOverRanks([{ logits: wholeLogits(batch.logits!), valid: batch.valid! }], { size: 2 }).map(
        targetProbabilities,
      ),
    { logits: f32(2, 4), valid: f32(2) },
    () => ({ logits: pattern(8, 5), valid: [0, 0] }),
    ['0'],
  );
  expect(values.flat().every((targets) => targets.every(Number.isFinite))).toBe(true);
});

test('logits in chunks that are computed again: the targets of logits that are kept', async () => {
  const [count, width, rows] = [200, 6, 5];
  const plans = [{}, { chunkBytes: 64 * 4 * rows, keepBytes: 0 }].map((chunks) =>
    planChunks({ count, width, rows }, chunks),
  );
  expect(plans.map(({ chunks, recompute }) => [chunks.length, recompute])).toEqual([
    [1, false],
    [4, true],
  ]);
  const values = await onRanks(
    2,
    ({ z, g, v }) =>
      plans.map((plan) => {
        const prototypes = prototypesOf((name) => (name === 'weight_g' ? g! : v!));
        const teacher: Logits = prototypeLogits(z!, prototypes, { temperature: 0.07, plan });
        return targetProbabilities(sinkhornTargetsOverRanks([{ logits: teacher }], { size: 2 })[0]!);
      }),
    { z: f32(rows, width), g: f32(count, 1), v: f32(count, width) },
    (rank) => ({ z: pattern(rows * width, 1 + rank), g: pattern(count, 1), v: pattern(count * width, 1) }),
    ['0', '1'],
  );
  for (const [kept, again] of values) expectClose(again!, kept!, 2e-6);
});

test('one message per iteration, and with one rank the plan of targets by themselves', () => {
  const batch = { logits: f32(4, 40), other: f32(4, 24), valid: f32(4) };
  type Inputs = { readonly [name in keyof typeof batch]: Parameters<typeof wholeLogits>[0] };
  const planned = (targets: (teachers: readonly Teacher[]) => readonly ReturnType<typeof sinkhornTargets>[]) =>
    planStep(
      defaultTarget,
      {},
      (_, inputs: Inputs): TensorTree =>
        targets([
          { logits: wholeLogits(inputs.logits), valid: inputs.valid },
          { logits: wholeLogits(inputs.other) },
        ]).map(targetProbabilities),
      { batch },
    );
  const kindsOf = ({ steps }: ReturnType<typeof planned>) =>
    steps.map((step) => (step.kind === 'kernel' ? step.kernel.label : step.kind));
  const together = kindsOf(planned((teachers) => sinkhornTargetsOverRanks(teachers, { size: 3 })));
  expect(together.filter((kind) => kind === 'send')).toHaveLength(3);
  const alone = planned((teachers) => sinkhornTargetsOverRanks(teachers, { size: 1 }));
  const each = planned((teachers) =>
    teachers.map(({ logits: own, valid: rows }) => sinkhornTargets(own, rows ? { valid: rows } : {})),
  );
  expect(kindsOf(alone)).toEqual(kindsOf(each));
});

test('centres move by the mean over the samples of all ranks, several in one message', async () => {
  const values = await onRanks(
    2,
    ({ first, second, valid: rows, center }) =>
      nextCentersOf(
        [
          { logits: wholeLogits(first!), center: center!, temperature: 2, valid: rows! },
          { logits: wholeLogits(second!), center: center!, temperature: 1 },
        ],
        { momentum: 0.5, size: 2 },
      ),
    { first: f32(2, 2), second: f32(2, 2), valid: f32(2), center: f32(2) },
    // of the first teacher three rows are samples: [1, 2], [3, 6], [5, 1]
    (rank) =>
      [
        { first: [1, 2, 3, 6], second: [1, 1, 2, 2], valid: [1, 1], center: [0, 8] },
        { first: [5, 1, 100, 100], second: [3, 3, 6, 2], valid: [1, 0], center: [0, 8] },
      ][rank]!,
    ['0', '1'],
  );
  for (const [first, second] of values) {
    expect([...first!]).toEqual([3, 7]);
    expect([...second!]).toEqual([1.5, 5]);
  }
});

test('options that there are not are refused', () => {
  expect(() => sinkhornTargetsOverRanks([], { size: 2, iteration: 3 } as never)).toThrow(
    'there is no option "iteration"',
  );
  expect(() => sinkhornTargetsOverRanks([], { size: 2, iterations: 0 })).toThrow(
    'iterations 0 is not a positive integer',
  );
  expect(() => nextCentersOf([], { ranks: 2 } as never)).toThrow('there is no option "ranks"');
});
