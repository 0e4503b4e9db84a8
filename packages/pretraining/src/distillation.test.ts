import { matryoshkaConfig, matryoshkaLevels } from '@franca/matryoshka-heads';
import {
  compile,
  createState,
  defaultTarget,
  exchangesOf,
  type Gpu,
  layoutState,
  planStep,
  type State,
} from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { vitConfig } from '@franca/vit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PretrainChoices } from './choices';
import { writeFrozenTeacher } from './distillation';
import { drawInputs } from './inputs';
import { pretrainOptions } from './official-options';
import type { PretrainOptions } from './options';
import { pretrainSignature } from './signature';
import { initialisePretraining, type PretrainGroups, pretrainGroups, SAVED_GROUPS } from './state';
import { pretrainStep } from './step';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const b = 2;
/** Two levels of 96 and 192 prototypes, whatever the width. */
const network = (D: number, hiddenDim: number) => {
  const head = {
    ...matryoshkaConfig(D, 0, { hiddenDim, bottleneckDim: 8 }),
    levels: matryoshkaLevels(D, 192, [D / 2, D]),
  };
  const vit = vitConfig('tiny', { embedDim: D, depth: 1, numHeads: 2, imgSize: 28, patchSize: 7, layerScale: 0.5 });
  return { vit, heads: { dino: head, ibot: head } };
};
const small = network(16, 12);
const large = network(24, 20);
const choose = (choices: Partial<PretrainChoices>): PretrainOptions =>
  pretrainOptions({
    seed: 3,
    ...small,
    batch: { perDevice: b },
    dropPathRates: [0],
    crops: { local_crops_size: 14, local_crops_number: 2 },
    masks: { ratio: [0.25, 0.5] },
    schedule: { iterations: 1 },
    ...choices,
  });

const wave = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i * i * step));
const crops = { globalCrops: wave(2 * b * 3 * 28 * 28, 0.013), localCrops: wave(2 * b * 3 * 14 * 14, 0.017) };
const knobs = { lr: 0.01, lastLayerLr: 0.01, weightDecay: 0.05, momentum: 0.9, teacherTemp: 0.01 };

/** Every tensor of a group. */
async function contents(state: State<PretrainGroups>, group: keyof PretrainGroups): Promise<Record<string, unknown>> {
  const names = Object.keys(state.layout[group].segments);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await state.read(group, name)])));
}

/** Weights of a teacher that has an opinion: other ones for every tensor, and long prototypes. */
const opinions =
  (options: PretrainOptions) =>
  async (name: string): Promise<Float32Array> => {
    const { shape } = pretrainGroups(options).frozen_teacher[name]!;
    const size = shape.reduce((a, c) => a * c, 1);
    const scale = Math.sqrt(2 / (size / shape[0]!));
    return name.endsWith('weight_g')
      ? new Float32Array(size).fill(3)
      : wave(size, 0.37 + name.length).map((x) => scale * x);
  };

interface Run {
  readonly metrics: readonly Record<string, number>[];
  /** After the first step, and after the last. */
  readonly first: Snapshot;
  readonly last: Snapshot;
  readonly cls: Float32Array;
}

type Snapshot = Readonly<Record<keyof PretrainGroups, Record<string, unknown>>>;
const GROUPS = [...SAVED_GROUPS, 'gradient', 'frozen_teacher'] as const;

const snapshot = async (state: State<PretrainGroups>): Promise<Snapshot> =>
  Object.fromEntries(
    await Promise.all(GROUPS.map(async (group) => [group, await contents(state, group)] as const)),
  ) as Snapshot;

/** Trains on one batch, unmasked; `from` is written into the state before. */
async function train(options: PretrainOptions, steps: number, from: Partial<Snapshot> = {}): Promise<Run> {
  using state = createState(gpu, pretrainGroups(options));
  await initialisePretraining(gpu, state, options);
  await writeFrozenTeacher(state, opinions(options));
  for (const group of SAVED_GROUPS)
    for (const [name, values] of Object.entries(from[group] ?? {})) state.write(group, name, values as Float32Array);
  using step = await compile(gpu, pretrainStep(options), { ...pretrainSignature(options), state });
  const { inputs, nMasked } = drawInputs(options, 0);
  const unmasked = { ...crops, ...inputs, masks: new Uint8Array(inputs.masks.length) };
  step.run(unmasked, { ...knobs, nMasked });
  const first = await snapshot(state);
  for (let i = 1; i < steps; i++) step.run(unmasked, { ...knobs, nMasked });
  const { rows } = await step.metrics();
  const cls = Float32Array.from((await step.read('cls')) as Float32Array);
  return { metrics: rows as readonly Record<string, number>[], first, last: await snapshot(state), cls };
}

test('a frozen teacher with the weights of the moving average gives the bits of an ordinary step without masks, and other ones in the next', async () => {
  const [plain, distilled] = [choose({}), choose({ distillation: small })];
  const says = opinions(distilled);
  const names = Object.keys(pretrainGroups(plain).teacher);
  const teacher = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await says(name)] as const)));
  const [one, other] = [await train(plain, 2, { teacher }), await train(distilled, 2, { teacher })];
  expect(other.metrics[0]).toEqual(one.metrics[0]);
  expect(other.first).toEqual({ ...one.first, frozen_teacher: teacher });
  // then the average has moved, and the frozen teacher has not
  expect(other.metrics[1]!.loss).not.toBe(one.metrics[1]!.loss);
  expect(other.last.frozen_teacher).toEqual(teacher);
});

test('a narrower student learns what a frozen teacher says, and a run that goes on has the same bits', async () => {
  const options = choose({ distillation: large });
  const whole = await train(options, 40);
  const [first, last] = [whole.metrics[0]!, whole.metrics.at(-1)!];
  // the targets of the frozen teacher do not move, so all of the fall is the student's
  expect(last.teacher_entropy).toBe(first.teacher_entropy);
  for (const loss of ['dino_global_crops_loss', 'dino_local_crops_loss', 'ibot_loss'])
    expect(last[loss]!, loss).toBeLessThan(0.94 * first[loss]!);
  expect(whole.last.frozen_teacher).toEqual(whole.first.frozen_teacher);
  expect(whole.cls).toHaveLength(2 * b * 16);
  const resumed = await train(options, 39, whole.first);
  expect(resumed.last).toEqual(whole.last);
  expect(resumed.metrics).toEqual(whole.metrics.slice(1));
});

test('nothing is masked, and patches are compared where they would have been, or everywhere', () => {
  const [plain, distilled] = [choose({}), choose({ distillation: large })].map((options) => drawInputs(options, 5));
  const masked = plain!.inputs.masks.reduce((a, c) => a + c, 0);
  expect(masked).toBe(plain!.nMasked);
  expect(distilled).toEqual({ ...plain!, inputs: { ...plain!.inputs, masks: plain!.inputs.masks.map(() => 0) } });
  const everywhere = choose({ distillation: large, masks: { probability: 1, ratio: [1, 1] } });
  const { inputs, nMasked } = drawInputs(everywhere, 5);
  expect([nMasked, everywhere.masks.bound]).toEqual([2 * b * 16, 2 * b * 16]);
  expect([...inputs.maskIndices]).toEqual([...Array(2 * b * 16).keys()]);
  expect(new Set(inputs.masksWeight)).toEqual(new Set([1 / 16]));
});

test('every branch runs on all samples unless rates are given', () => {
  const rates = (choices: Partial<PretrainChoices>) => {
    const { dropPathRates: _, ...rest } = { ...choices, ...small };
    return pretrainOptions({
      ...rest,
      batch: { perDevice: b },
      schedule: { iterations: 1 },
      crops: { local_crops_number: 0 },
    });
  };
  expect(rates({ distillation: large }).dropPathRates).toEqual([0]);
  expect(rates({}).dropPathRates).toEqual([0.1]);
});

test('the frozen teacher has neither moments nor gradients, and in f16 its copies stand in for those of the moving average', () => {
  const groups = pretrainGroups({ ...choose({ distillation: large }), precision: 'f16' });
  expect(groups.m).toBe(groups.student);
  expect(groups.frozen_teacher['backbone.norm.weight']!.shape).toEqual([24]);
  expect(groups.teacher_f16).toEqual({});
  expect(Object.keys(groups.frozen_teacher_f16)).toEqual(Object.keys(groups.student_f16));
  const plain = pretrainGroups({ ...choose({}), precision: 'f16' });
  expect([plain.frozen_teacher, plain.frozen_teacher_f16]).toEqual([{}, {}]);
  expect(SAVED_GROUPS).not.toContain('frozen_teacher');
});

test('the plan counts the teacher once, and ranks exchange as many messages as without it', () => {
  const plan = (choices: Partial<PretrainChoices>) => {
    const options = choose({ ranks: { rank: 0, size: 2 }, ...choices });
    const layout = layoutState(pretrainGroups(options), defaultTarget);
    return planStep(defaultTarget, layout, pretrainStep(options), pretrainSignature(options));
  };
  const [plain, distilled] = [plan({}), plan({ distillation: large })];
  expect(exchangesOf(distilled)).toHaveLength(exchangesOf(plain).length);
  expect(plain.report.bytes.frozen_teacher).toBe(0);
  const { teacher } = layoutState(pretrainGroups(choose({ ...large })), defaultTarget);
  expect(distilled.report.bytes.frozen_teacher).toBe(teacher.bytes);
});

const level = (prototypes: number) => ({
  ...large.heads.dino,
  levels: large.heads.dino.levels.map((l) => ({ ...l, prototypes })),
});
test.each<[Partial<PretrainChoices>, string]>([
  [
    { distillation: { ...large, vit: { ...large.vit, patchSize: 14 } } },
    'distillation: the patches of the teacher are 14 pixels wide and those of the student 7',
  ],
  [
    { distillation: { ...large, heads: { ...large.heads, ibot: level(5) } } },
    'for ibot the levels of the student have 96, 192 prototypes and those of the teacher 5, 5',
  ],
  [{ distillation: { ...large, heads: { dino: level(7), ibot: undefined } } }, 'for dino the levels of the student'],
  [{ distillation: { vit: large.vit, head: 1 } as object as never }, 'distillation: there is no option "head"'],
])('%# is refused', (choices, message) => {
  expect(() => choose(choices)).toThrow(message);
});

test('a teacher with one head for both losses is compared by that head', () => {
  expect(
    choose({ distillation: { ...large, heads: { dino: large.heads.dino, ibot: undefined } } }).heads.ibot,
  ).toBeDefined();
});

test('weights of another teacher are refused by name', async () => {
  using state = createState(gpu, pretrainGroups(choose({ distillation: large })));
  await expect(writeFrozenTeacher(state, async () => new Float32Array(3))).rejects.toThrow(
    /^"backbone\.\S+" of the teacher has 3 values, \[.*24\] are needed/,
  );
  await expect(writeFrozenTeacher(state, async () => undefined)).rejects.toThrow('of the teacher has no values');
});
