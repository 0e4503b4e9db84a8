import { matryoshkaConfig, matryoshkaLevels } from '@franca/matryoshka-heads';
import type { ChunkOptions } from '@franca/nn';
import {
  compile,
  createState,
  defaultTarget,
  type Gpu,
  type GroupLayout,
  layoutState,
  type Plan,
  planStep,
  type Spec,
  type State,
} from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { vitConfig } from '@franca/vit';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
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

const D = 16;
const b = 2;
const head = {
  ...matryoshkaConfig(D, 0, { hiddenDim: 12, bottleneckDim: 8 }),
  levels: matryoshkaLevels(D, 192, [8, 16]),
};
const chosen = pretrainOptions({
  batch: { perDevice: b },
  vit: vitConfig('tiny', { embedDim: D, depth: 1, numHeads: 2, imgSize: 28, patchSize: 7, layerScale: 0.5 }),
  dropPathRates: [0],
  crops: { local_crops_size: 14, local_crops_number: 2 },
  heads: { dino: head, ibot: head },
  schedule: { iterations: 1 },
});
const small: PretrainOptions = { ...chosen, masks: { ...chosen.masks, bound: 8 } };

const wave = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i * i * step));
const nMasked = 6;
const inputs = {
  globalCrops: wave(2 * b * 3 * 28 * 28, 0.013),
  localCrops: wave(2 * b * 3 * 14 * 14, 0.017),
  // crops 0 and 3 are masked, two and four of their patches
  masks: Uint8Array.from({ length: 2 * b * 16 }, (_, i) => Number([1, 5, 48, 50, 55, 63].includes(i))),
  maskIndices: [1, 5, 48, 50, 55, 63, 0, 0],
  masksWeight: [0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0, 0],
};
const knobs = { lr: 0.01, lastLayerLr: 0.01, weightDecay: 0.05, momentum: 0.9, teacherTemp: 0.05, nMasked };

/** What a run of the step left behind. */
interface Outcome {
  readonly metrics: readonly Record<string, number>[];
  readonly read: (group: string, name: string) => Promise<ArrayLike<number>>;
  readonly student: Float32Array;
  readonly teacher: Float32Array;
  /** Writes what a checkpoint would hold. */
  readonly restore: (state: State<PretrainGroups>) => void;
}

interface Setup {
  readonly options?: Partial<PretrainOptions>;
  readonly chunks?: ChunkOptions;
  /** Groups of state that are other ones. */
  readonly groups?: Partial<PretrainGroups>;
  readonly before?: (state: State<PretrainGroups>) => void;
  /** Inputs and knobs of each run (default: one run of the above). */
  readonly runs?: readonly { readonly inputs?: object; readonly knobs?: object }[];
}

async function train(
  { options = {}, chunks = {}, groups = {}, before, runs = [{}] }: Setup = {},
  device = gpu,
): Promise<Outcome> {
  const all = { ...small, ...options };
  using state = createState(device, { ...pretrainGroups(all), ...groups });
  await initialisePretraining(device, state, all, 7);
  before?.(state);
  using step = await compile(device, pretrainStep(all, chunks), { ...pretrainSignature(all), state });
  const { created } = device;
  const counts = { ...created };
  for (const run of runs) step.run({ ...inputs, ...run.inputs }, { ...knobs, ...run.knobs });
  await step.done();
  expect(created).toEqual(counts);
  const { rows: metrics } = await step.metrics();
  const kept = new Map<string, ArrayLike<number>>();
  for (const [group, { segments }] of Object.entries(state.layout) as [keyof PretrainGroups, GroupLayout][])
    for (const name of Object.keys(segments)) kept.set(`${group}/${name}`, await state.read(group, name));
  const whole = (group: string) =>
    Float32Array.from(
      [...kept].filter(([name]) => name.startsWith(`${group}/`)).flatMap(([, values]) => Array.from(values)),
    );
  return {
    metrics: metrics as readonly Record<string, number>[],
    read: async (group, name) => kept.get(`${group}/${name}`)!,
    student: whole('student'),
    teacher: whole('teacher'),
    restore: ({ write }) => {
      for (const group of SAVED_GROUPS)
        for (const name of Object.keys(state.layout[group].segments)) write(group, name, kept.get(`${group}/${name}`)!);
    },
  };
}

let plain: Outcome;
let start: Outcome;
beforeAll(async () => {
  plain = await train();
  start = await train({ runs: [] });
});

test('metrics are finite, named as in the official log, and start near uniform', () => {
  const [row] = plain.metrics;
  expect(Object.keys(row!).sort()).toEqual(
    [
      'dino_global_crops_loss',
      'dino_local_crops_loss',
      'finite',
      'grad_norm_backbone',
      'grad_norm_dino_head',
      'grad_norm_ibot_head',
      'ibot_loss',
      'koleo_loss',
      'loss',
      'teacher_entropy',
      'total_loss',
    ].sort(),
  );
  expect(Object.values(row!).every(Number.isFinite)).toBe(true);
  const uniform = Math.log(96) + Math.log(192);
  // two of six pairs of views are global
  expect(row!.dino_global_crops_loss).toBeCloseTo(uniform / 3, 1);
  expect(row!.dino_local_crops_loss).toBeCloseTo((2 * uniform) / 3, 1);
  // half of the crops are masked; the log halves once more
  expect(row!.ibot_loss).toBeCloseTo(uniform / 4, 1);
  expect(row!.teacher_entropy).toBeGreaterThan(0.9);
});

test('a fixed batch is learned', async () => {
  const { metrics } = await train({ runs: new Array(60).fill({ knobs: { momentum: 0.99 } }) });
  expect(metrics.at(-1)!.loss!).toBeLessThan(0.97 * metrics[0]!.loss!);
});

test('logits that are kept and logits that are computed again give the same bits', async () => {
  const kept = await train({ chunks: { chunkBytes: 64 * 4 * 8 } });
  const again = await train({ chunks: { chunkBytes: 64 * 4 * 8, keepBytes: 0 } });
  expect(again.student).toEqual(kept.student);
});

// each of these computes the same numbers in another order; AdamW's first step turns gradient g into g / (|g| + 1e-8)
test.each<[string, Setup]>([
  ['logits in chunks', { chunks: { chunkBytes: 64 * 4 * 8 } }],
  ['logits in chunks, computed again in the backward pass', { chunks: { chunkBytes: 64 * 4 * 8, keepBytes: 0 } }],
  ['rematerialised blocks', { options: { remat: true } }],
  [
    'branches that keep every sample',
    {
      options: { dropPathRates: [0.1], kept: [{ global: 4, local: 4 }] },
      runs: [
        {
          inputs: Object.fromEntries(
            ['attention', 'ffn'].flatMap((branch) =>
              ['global', 'local'].map((which) => [`kept.0.${branch}.${which}`, [0, 1, 2, 3]]),
            ),
          ),
        },
      ],
    },
  ],
  ['a loss scale', { options: { lossScaling: true } }],
  [
    'other list entries after the masked patches',
    { runs: [{ inputs: { maskIndices: [1, 5, 48, 50, 55, 63, 9, 62] } }] },
  ],
  [
    'the same batch in two micro-steps',
    {
      options: { batch: { perDevice: b, group: b, accumulation: 2 } },
      runs: [{ knobs: { firstMicroStep: 1, lastMicroStep: 0 } }, { knobs: { firstMicroStep: 0, lastMicroStep: 1 } }],
    },
  ],
])('%s: nothing changes', async (_, setup) => {
  expectSame(await train(setup), plain, start);
});

/** The same weights and figures, up to the order of sums. */
function expectSame(other: Outcome, one: Outcome, before: Outcome): void {
  for (const [name, value] of Object.entries(one.metrics[0]!)) {
    // gradient norms of a micro-step are of what has been accumulated so far
    const row = name.startsWith('grad_norm') ? other.metrics.at(-1)! : other.metrics[0]!;
    expect(Math.abs(row[name]! - value), name).toBeLessThan(2e-5 * Math.max(1, Math.abs(value)));
  }
  const differencesFrom = ({ student }: Outcome) => one.student.map((value, i) => Math.abs(value - student[i]!));
  const moved = differencesFrom(before).reduce((most, value) => Math.max(most, value));
  const differences = differencesFrom(other);
  const outliers = differences.filter((difference) => difference > 0.01 * moved).length / differences.length;
  expect(outliers).toBeLessThan(0.01);
}

describe('one level of one head', () => {
  // each shape of a product has a kernel of its own, which takes seconds to compile for a processor: one level of one head, square where it can be, has few
  const few: Setup = {
    options: {
      vit: { ...small.vit, mlpRatio: 1 },
      crops: { ...small.crops, local_crops_number: 0 },
      heads: { dino: { ...head, hiddenDim: D, levels: head.levels.slice(-1) }, ibot: undefined },
    },
    runs: [{ inputs: { localCrops: undefined } }],
    // as initialised, a head this narrow passes on so little that its gradients are below 1e-9
    before: ({ layout, write }) => {
      for (const [name, { shape }] of Object.entries(layout.student.segments))
        if (/mlps.*weight$/.test(name))
          for (const group of ['student', 'teacher'] as const) write(group, name, wave(shape[0]! * shape[1]!, 0.019));
    },
  };

  test('kernels for GPUs change nothing', async () => {
    const [one, before] = [await train(few), await train({ ...few, runs: [] })];
    await using device = await openGpu({ target: { family: 'gpu' } });
    expectSame(await train(few, device), one, before);
  });

  test('f16 on subgroup matrices: the loss and the weights are those of f32', async (context) => {
    await using device = await openGpu({ target: { family: 'gpu' } });
    context.skip(device.target.subgroupMatrices.length === 0, 'the adapter has no subgroup matrices');
    const half: Setup = {
      ...few,
      options: { ...few.options, precision: 'f16', lossScaling: true },
      before: (state) => {
        few.before!(state);
        state.write('optimizer', 'loss_scale', [2 ** 8, 0]);
      },
    };
    const [one, whole, before] = [await train(half, device), await train(few), await train({ ...few, runs: [] })];
    expect(one.metrics[0]!.finite).toBe(1);
    expect(Math.abs(one.metrics[0]!.loss! / whole.metrics[0]!.loss! - 1)).toBeLessThan(1e-3);
    const meanDistance = (other: Outcome): number =>
      whole.student.reduce((sum, value, i) => sum + Math.abs(value - other.student[i]!), 0) / whole.student.length;
    // Adam's first update is as large for the smallest gradient as for the largest, whose sign f16 may turn
    expect(meanDistance(one)).toBeLessThan(0.02 * meanDistance(before));
  });
});

test('a micro-step that is not the last changes neither weights nor teacher', async () => {
  const options = { batch: { perDevice: b, group: b, accumulation: 2 } };
  const half = await train({ options, runs: [{ knobs: { firstMicroStep: 1, lastMicroStep: 0 } }] });
  expect(half.student).toEqual(start.student);
  expect(half.teacher).toEqual(start.teacher);
  expect([...Array.from(await half.read('optimizer', 'corrections'))]).toEqual([0, 0]);
});

test('gradients that are not finite: weights stay, the teacher follows, the scale halves', async () => {
  const infinite = await train({
    options: { lossScaling: true },
    before: ({ write }) => {
      write('optimizer', 'loss_scale', [3e38, 5]);
      write('teacher', 'backbone.norm.bias', new Float32Array(D).fill(1));
    },
  });
  expect(infinite.metrics[0]!.finite).toBe(0);
  expect(infinite.student).toEqual(start.student);
  // momentum 0.9 between 1 and the student's 0
  expect(Array.from(await infinite.read('teacher', 'backbone.norm.bias'))[0]).toBeCloseTo(0.9, 6);
  expect(Array.from(await infinite.read('optimizer', 'loss_scale'))).toEqual([Math.fround(3e38) / 2, 0]);
});

test('padding rows take part in the targets only where asked for', async () => {
  // long prototypes, so that targets are far from uniform
  const before: Setup['before'] = ({ write }) => {
    for (const group of ['student', 'teacher'] as const)
      write(group, 'ibot_head.last_layers.1.weight_g', new Float32Array(192).fill(1e5));
  };
  const [exact, quirk] = [await train({ before }), await train({ before, options: { paddingRows: true } })];
  expect(Math.abs(quirk.metrics[0]!.ibot_loss! - exact.metrics[0]!.ibot_loss!)).toBeGreaterThan(1e-4);
  expect(quirk.metrics[0]!.dino_local_crops_loss).toBe(exact.metrics[0]!.dino_local_crops_loss);
});

test('prototype norms are trained, or stay 1', async () => {
  const name = 'dino_head.last_layers.0.weight_g';
  const fixed = await train({ options: { freezePrototypeNorms: true } });
  expect(Array.from(await fixed.read('student', name)).every((g) => g === 1)).toBe(true);
  expect(Array.from(await plain.read('student', name)).some((g) => g !== 1)).toBe(true);
});

test('softmax centering over Matryoshka levels, and one head for both losses, which the official code cannot', async () => {
  const options = { centering: 'centering', heads: { dino: head, ibot: undefined } } as const;
  const { metrics, read } = await train({ options, runs: [{}, {}] });
  expect(metrics.every((row) => Object.values(row).every(Number.isFinite))).toBe(true);
  for (const name of ['center.dino.0', 'center.dino.1', 'center.ibot.0', 'center.ibot.1'])
    expect(Array.from(await read('optimizer', name)).some((value) => value !== 0)).toBe(true);
});

test('no local crops', async () => {
  const { metrics } = await train({
    options: { crops: { ...small.crops, local_crops_number: 0 } },
    runs: [{ inputs: { localCrops: undefined } }],
  });
  expect(metrics[0]!.dino_local_crops_loss).toBe(0);
  expect(Number.isFinite(metrics[0]!.loss)).toBe(true);
});

function skipWithoutHalves(context: TestContext): void {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  const slow = gpu.target.family === 'cpu' && !process.env.FRANCA_TEST_F16;
  context.skip(slow, 'a software adapter takes minutes to compile f16; FRANCA_TEST_F16=1 runs it');
}

test('f16: copies of the weights change no bit, and follow what a checkpoint brings', async (context) => {
  skipWithoutHalves(context);
  const options = { precision: 'f16', lossScaling: true } as const;
  const runs = new Array(4).fill({});
  const before: Setup['before'] = (state) => state.write('optimizer', 'loss_scale', [1024, 0]);
  const copied = await train({ options, runs, before });
  expect(copied.metrics.every(({ finite }) => finite === 1)).toBe(true);
  const cast = await train({ options, runs, before, groups: { student_f16: {}, teacher_f16: {} } });
  expect(copied.metrics).toEqual(cast.metrics);
  for (const weights of ['student', 'teacher'] as const) expect(copied[weights]).toEqual(cast[weights]);
  const half = await train({ options, runs: runs.slice(2), before });
  const resumed = await train({ options, runs: runs.slice(2), before: half.restore });
  expect(resumed.metrics).toEqual(copied.metrics.slice(2));
  for (const weights of ['student', 'teacher'] as const) expect(resumed[weights]).toEqual(copied[weights]);
}, 600_000);

test('f16 with its dynamic loss scale: overflows are skipped and halve it, then the losses are those of f32', async (context) => {
  skipWithoutHalves(context);
  const runs = new Array(20).fill({});
  const whole = await train({ runs });
  // gradients of this loss times 2^18 are beyond 65504, the largest f16
  const scale = 2 ** 18;
  const half = await train({
    options: { precision: 'f16', lossScaling: true },
    before: (state) => state.write('optimizer', 'loss_scale', [scale, 0]),
    runs,
  });
  const taken = half.metrics.filter(({ finite }) => finite === 1);
  expect(taken.length).toBeGreaterThan(runs.length / 2);
  expect(taken.length).toBeLessThan(runs.length);
  half.metrics.forEach(({ loss_scale, finite }, i) => {
    const before = half.metrics[i - 1]?.loss_scale ?? scale;
    expect(loss_scale).toBe(finite === 1 ? before : before / 2);
  });
  // f16 has 11 bits, and the losses are averages over whole batches
  const errors = taken.map(({ loss }, i) => Math.abs(loss! / whole.metrics[i]!.loss! - 1));
  expect(Math.max(...errors)).toBeLessThan(1e-3);
}, 600_000);

/** Kernels of a plan in f16 that do nothing but cast, with copies of the weights or without. */
function castsOf(copies: Partial<PretrainGroups>): number {
  const options: PretrainOptions = { ...small, precision: 'f16', lossScaling: true };
  const target = { ...defaultTarget, f16: true };
  const layout = layoutState({ ...pretrainGroups(options), ...copies }, target);
  const { steps } = planStep(target, layout, pretrainStep(options), pretrainSignature(options));
  return steps.filter((step) => step.kind === 'kernel' && step.kernel.kind === 'cast').length;
}

test('in f16 weights are rounded once per update, not in every pass', () => {
  expect(castsOf({ student_f16: {}, teacher_f16: {} })).toBeGreaterThan(90);
  // crops, positions of another grid and what is summed up in the end
  expect(castsOf({})).toBeLessThan(12);
  const { student, student_f16 } = pretrainGroups({ ...small, precision: 'f16' });
  const left = Object.keys(student).filter((name) => !(name in student_f16));
  expect(left.every((name) => /last_layers\.\d\.weight_[gv]$/.test(name))).toBe(true);
  expect(left).toHaveLength(8);
  expect(pretrainGroups(small).student_f16).toEqual({});
});

test('ViT-B with its official heads is planned within WebGPU default limits, gradients written in place', () => {
  const options = pretrainOptions({
    batch: { perDevice: 8 },
    vit: vitConfig('base'),
    remat: true,
    dropPathRates: new Array(12).fill(0),
    schedule: { iterations: 1 },
  });
  const layout = layoutState(pretrainGroups(options), defaultTarget);
  const plan: Plan = planStep(
    defaultTarget,
    layout,
    pretrainStep(options, { keepBytes: 0 }),
    pretrainSignature(options),
  );
  const parameters = Object.values(layout.student.segments).reduce(
    (sum: number, { shape }: Spec) => sum + shape.reduce((a, c) => a * c, 1),
    0,
  );
  expect(parameters).toBe(304_985_120);
  expect(plan.steps.some(({ kind }) => kind === 'copy')).toBe(false);
  // all iBOT logits of the finest level are U x 131072; the largest tensor is what a feed-forward layer makes of the tokens of all crops
  expect(Math.max(...plan.slotBytes)).toBeLessThan((options.masks.bound * 131072 * 4) / 3);
});
