/** Copies of weights in f16, which products read: whatever changes the weights, they are what a cast would give. */
import {
  cast,
  checkHalfKernels,
  compile,
  copiesOf,
  createState,
  type Gpu,
  grad,
  mean,
  spec,
  square,
  store,
  sub,
  type Target,
  type Tensor,
} from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, expect, test } from 'vitest';
import { adamW } from './adamw';
import { initialise } from './initialise';
import { linear, linearSpecs } from './layers';
import { type Parameters, parametersOf, prefixed, within } from './parameters';
import { loadState, type StateFile, stateEntries } from './saved-state';
import { optimizerState } from './training-step';

const gpu = await openGpu();
afterAll(() => gpu.dispose());
const inHalves = test.skipIf(!gpu.target.f16);

// what is copied comes first; the last layer computes in f32, and the middle one has weights that f16 rounds to 0
const halves = {
  ...prefixed('a', linearSpecs(8, 24, { std: 0.5 })),
  ...prefixed('b', linearSpecs(24, 8, { std: 1e-4 })),
};
const specs = { ...halves, ...prefixed('c', linearSpecs(8, 1)) };
const groups = {
  w: specs,
  teacher: specs,
  ...optimizerState(specs),
  half: copiesOf('w', halves),
  teacherHalf: copiesOf('teacher', halves),
};
type Groups = typeof groups;
const x = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i * i));
const y = Float32Array.from({ length: 16 }, (_, i) => Math.cos(i));

const predict = (p: Parameters, input: Tensor) =>
  linear(within(p, 'c'), cast(linear(within(p, 'b'), linear(within(p, 'a'), cast(input, 'f16'))), 'f32'));

/** A network that follows a teacher; with copies, or casting as it goes. */
async function training(own: Gpu, withCopies: boolean) {
  const state = createState(own, withCopies ? groups : { ...groups, half: {}, teacherHalf: {} });
  await initialise(own, state, 'w', specs, 3);
  state.copy('w', 'teacher');
  const step = await compile(
    own,
    (s, batch, { scale, momentum, enabled }) => {
      const target = predict(parametersOf(s.teacher.tensors, s.teacherHalf.tensors), batch.x);
      const predicted = predict(parametersOf(s.w.tensors, s.half.tensors), batch.x);
      const loss = mean(square(sub(sub(predicted, target), batch.y)));
      const { finite } = adamW({
        weights: s.w,
        m: s.m,
        v: s.v,
        gradients: store(s.gradient, grad(loss, s.w.tensors)),
        corrections: s.optimizer.tensors.corrections,
        lr: scale,
        weightDecay: scale,
        enabled,
        teacher: { group: s.teacher, momentum, copies: s.teacherHalf },
        copies: s.half,
      });
      return { loss, finite };
    },
    { state, batch: { x: spec([16, 8]), y: spec([16, 1]) }, knobs: { scale: [], momentum: [], enabled: [] } },
  );
  const run = (knobs: object = {}, labels = y): void =>
    step.run({ x, y: labels }, { scale: 0.01, momentum: 0.9, enabled: 1, ...knobs });
  const dispose = (): void => {
    step.dispose();
    state.dispose();
  };
  return { state, step, run, [Symbol.dispose]: dispose };
}
type Training = Awaited<ReturnType<typeof training>>;

const read = async ({ state }: Training, group: keyof Groups): Promise<Record<string, readonly number[]>> => {
  const all: Record<string, readonly number[]> = {};
  for (const name of Object.keys(state.layout[group].segments))
    all[name] = Array.from(await state.read(group, name as never));
  return all;
};

/** Copies are their originals, as a cast on the device rounds them. */
async function expectFollowing(own: Gpu, t: Training): Promise<void> {
  using rounding = await compile(
    own,
    (s) =>
      Object.fromEntries(
        (['w', 'teacher'] as const).map((group) => [
          group,
          Object.fromEntries(
            Object.keys(halves).map((name) => [name, cast((s[group].tensors as Record<string, Tensor>)[name]!, 'f16')]),
          ),
        ]),
      ),
    { state: t.state },
  );
  rounding.run();
  for (const [group, copies] of [
    ['w', 'half'],
    ['teacher', 'teacherHalf'],
  ] as const)
    for (const name of Object.keys(halves)) {
      const [held, made] = [
        await t.state.read(copies, name as never),
        await rounding.read(`${group}.${name}` as never),
      ];
      expect(held, `${group} ${name}`).toEqual(made);
    }
}

const adapters: readonly (readonly [string, Partial<Target>])[] = [
  ['as it is', {}],
  [
    'that binds eight buffers, so that the teacher has a kernel of its own, in several windows and buffers',
    { maxStorageBuffers: 8, maxBindingBytes: 1024, maxBufferBytes: 1280 },
  ],
];
inHalves.each(adapters)('on an adapter %s, copies change no bit and follow updates', async (_, target) => {
  await using own = await openGpu({ target });
  using plain = await training(own, false);
  using copied = await training(own, true);
  await expectFollowing(own, copied);
  for (let i = 0; i < 3; i++) for (const t of [plain, copied]) t.run();
  for (const group of ['w', 'teacher', 'm', 'v'] as const)
    expect(await read(copied, group)).toEqual(await read(plain, group));
  await expectFollowing(own, copied);
  const kinds = copied.step.plan.steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel.kind] : []));
  // of the input, and of what comes out
  expect(kinds.filter((kind) => kind === 'cast').length).toBeLessThan(4);
  if (target.maxBufferBytes) expect(copied.state.layout.half.windows.length).toBeGreaterThan(1);
});

inHalves('a step that is skipped moves the teacher alone, one that is not the last of its update nothing', async () => {
  using t = await training(gpu, true);
  t.run();
  const before = await read(t, 'half');
  const bad = y.map((value, i) => (i === 3 ? Number.NaN : value));
  t.run({}, bad);
  expect((await t.step.read('finite'))[0]).toBe(0);
  expect(await read(t, 'half')).toEqual(before);
  await expectFollowing(gpu, t);
  const teacher = await read(t, 'teacher');
  t.run({ enabled: 0 });
  expect([await read(t, 'teacher'), await read(t, 'half')]).toEqual([teacher, before]);
});

inHalves(
  'what is loaded and written is copied; what follows is not saved, and goes on with the same bits',
  async () => {
    using first = await training(gpu, true);
    for (let i = 0; i < 2; i++) first.run();
    const entries = stateEntries(first.state);
    expect(entries.filter(({ name }) => name.startsWith('half') || name.startsWith('teacherHalf'))).toEqual([]);
    const values = new Map<string, ArrayLike<number>>();
    for (const { name, data } of entries) values.set(name, await data());
    const get = async (name: string) => values.get(name)!;
    const file: StateFile = { tensors: new Map(entries.map((e) => [e.name, e])), read: get, readFloat32: get };
    using second = await training(gpu, true);
    await loadState(second.state, file);
    await expectFollowing(gpu, second);
    for (const t of [first, second]) t.run();
    for (const group of ['w', 'teacher', 'half', 'teacherHalf'] as const)
      expect(await read(second, group)).toEqual(await read(first, group));
  },
);

inHalves('the kernel that writes copies is among those that a driver is checked with', async () => {
  using t = await training(gpu, true);
  const steps = t.step.plan.steps.filter((step) => step.kind === 'kernel' && step.kernel.label === 'adamW');
  const check = await checkHalfKernels(gpu, { ...t.step.plan, steps }, { shapes: 1 });
  expect(check).toMatchObject({ checked: 1, failures: [], uncovered: [] });
});

test('copies of another group are refused', async () => {
  using state = createState(gpu, groups);
  const wrong = compile(
    gpu,
    (s, _, { lr }) => {
      const { w: weights, m, v, optimizer, gradient, teacherHalf: copies } = s;
      adamW({
        weights,
        m,
        v,
        gradients: gradient.windows,
        corrections: optimizer.tensors.corrections,
        lr,
        weightDecay: lr,
        copies,
      });
      return {};
    },
    { state, knobs: { lr: [] } },
  );
  await expect(wrong).rejects.toThrow(/the copies are of "teacher", not of "w"/);
});
