import { matryoshkaConfig } from '@franca/matryoshka-heads';
import { defaultTarget, exchangesOf, type Target } from '@franca/tensor';
import { vitConfig } from '@franca/vit';
import { expect, test } from 'vitest';
import { fitPretraining } from './fit-memory';
import { pretrainOptions } from './official-options';

const GiB = 2 ** 30;
const recipe = pretrainOptions({
  vit: vitConfig('small', { depth: 3 }),
  heads: { dino: matryoshkaConfig(384), ibot: undefined },
  batch: { perDevice: 32 },
  remat: 'auto',
  schedule: { iterations: 1 },
});
const device = (memoryBytes: number | undefined): Target => ({
  ...defaultTarget,
  maxBindingBytes: 2 ** 31,
  memoryBytes,
});
const fit = (memoryBytes: number | undefined, options = recipe) => fitPretraining(options, device(memoryBytes));

test('the choice with the least work is taken whose plan takes at most 80 % of the memory', () => {
  const choices = [false, true].flatMap((remat) => [2 ** 50, 2 ** 30, 0].map((keepBytes) => ({ remat, keepBytes })));
  const plans = choices.map((kept) => fitPretraining(recipe, device(undefined), kept).plan.report);
  const [work, bytes] = [plans.map(({ flops }) => flops), plans.map(({ totalBytes }) => totalBytes)];
  expect(Math.min(...work)).toBe(work[0]);
  expect(Math.min(...bytes)).toBe(bytes[5]);
  for (const memory of [bytes[0]! / 0.8, bytes[0]! / 0.8 - 2, bytes[3]! / 0.8, bytes[4]! / 0.8]) {
    const best = Math.min(...work.filter((_, i) => bytes[i]! <= 0.8 * memory));
    const { plan, choice, options } = fit(memory);
    expect([plan.report.flops, choice, options.remat]).toEqual([best, choices[work.indexOf(best)], choice.remat]);
  }
  expect(fit(1000 * GiB).note).toMatch(/^remat off, all logits kept: the step takes [\d.]+ GiB of 1000 GiB$/);
});

test('a device too small for every choice gets the smallest, and that is said', () => {
  expect(fit(GiB).choice).toEqual({ remat: true, keepBytes: 0 });
  expect(fit(GiB).note).toMatch(/^remat on, large logits computed again: .* of 1 GiB, more than the 80 % that/);
});

test('an adapter that does not say what it has is taken to have 8 GiB, and that is said', () => {
  expect(fit(undefined).choice).toEqual(fit(8 * GiB).choice);
  expect(fit(undefined).note).toContain('of 8 GiB assumed (unknown)');
});

test('rematerialisation that was chosen is obeyed, and a run that goes on keeps its choice', () => {
  expect(fit(1000 * GiB, { ...recipe, remat: true }).choice.remat).toBe(true);
  expect(fit(GiB, { ...recipe, remat: false }).choice).toEqual({ remat: false, keepBytes: 0 });
  const kept = { remat: true, keepBytes: 2 ** 30 };
  const again = fitPretraining(recipe, device(1000 * GiB), kept);
  expect([again.choice, again.options.remat, again.chunks.keepBytes]).toEqual([kept, true, 2 ** 30]);
  expect(again.note).toMatch(/^as the run began, remat on, logits up to 1 GiB kept: /);
});

test('copies of weights in f16 are left out where a step with rematerialisation fits only without them', () => {
  const halves = { ...recipe, precision: 'f16', remat: true } as const;
  const gpu = (memoryBytes: number): Target => ({ ...device(memoryBytes), f16: true });
  const kept = { remat: true, keepBytes: 0 };
  const ample = fitPretraining(halves, gpu(1000 * GiB), kept);
  const all = ample.plan.report.totalBytes;
  const tight = fitPretraining(halves, gpu(all / 0.8 - 2), kept);
  expect([ample.options.weightCopies, tight.options.weightCopies]).toEqual([undefined, false]);
  expect(ample.plan.report.bytes.student_f16).toBeGreaterThan(0);
  expect(tight.plan.report.bytes.student_f16).toBe(0);
  expect(tight.plan.report.totalBytes).toBeLessThan(all);
  expect(tight.note).toMatch(/^as the run began, remat on, large logits computed again, no copies of weights: /);
});

test('a step of several ranks is planned with what they exchange, and takes as much memory on each', () => {
  const head = matryoshkaConfig(192, 256);
  const ofRank = (rank: number) =>
    fitPretraining(
      pretrainOptions({
        vit: vitConfig('tiny', { depth: 1 }),
        heads: { dino: head, ibot: head },
        batch: { perDevice: 2, group: 3 },
        ranks: { rank, size: 3 },
        schedule: { iterations: 1 },
      }),
      device(8 * GiB),
    );
  // a rank holds two images of one group, or one of each of two: the lists of all are as long as any needs
  const [first, second] = [ofRank(0).plan, ofRank(1).plan];
  expect(exchangesOf(first).length).toBeGreaterThan(3);
  expect([second.report.totalBytes, second.report.kernels]).toEqual([first.report.totalBytes, first.report.kernels]);
});

test('a step whose rematerialisation is not decided is refused', () => {
  expect(() => fitPretraining(recipe, device(undefined), { remat: 'auto' as never, keepBytes: 0 })).toThrow(
    'remat is auto; `fitPretraining` decides it for a device',
  );
});
