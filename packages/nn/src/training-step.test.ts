import { compile, constant, gelu, mean, mul, spec, square, sub, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, expect, test } from 'vitest';
import { linear, linearSpecs } from './layers';
import { type Parameters, parametersOf, prefixed, within } from './parameters';
import { loadState, type StateEntry, type StateFile, stateEntries } from './saved-state';
import { type OptimizerOptions, trainingStep } from './training-step';

const gpu = await openGpu();
afterAll(() => gpu.dispose());

// x0 x1, which no linear layer can learn
const x = Float32Array.from({ length: 64 }, (_, i) => Math.sin(3 * i) * 2);
const y = Float32Array.from({ length: 32 }, (_, i) => x[2 * i]! * x[2 * i + 1]!);
const specs = { ...prefixed('fc1', linearSpecs(2, 16, { std: 0.5 })), ...prefixed('fc2', linearSpecs(16, 1)) };
const predict = (p: Parameters, input: Tensor): Tensor =>
  linear(within(p, 'fc2'), gelu(linear(within(p, 'fc1'), input)));
const train = (optimizer: OptimizerOptions = { kind: 'adamw' }) =>
  trainingStep(
    gpu,
    specs,
    (p, { x, y }, { weight }) => {
      const error = mean(square(sub(predict(p, x), y)));
      return { loss: mul(error, weight), error };
    },
    { batch: { x: spec([32, 2]), y: spec([32, 1]) }, knobs: { weight: [] }, optimizer },
  );

/** What a file of these entries gives. */
async function fileOf(entries: readonly StateEntry[]): Promise<StateFile> {
  const values = new Map<string, ArrayLike<number>>();
  for (const { name, data } of entries) values.set(name, await data());
  const read = async (name: string) => values.get(name)!;
  return { tensors: new Map(entries.map((entry) => [entry.name, entry])), read, readFloat32: read };
}

test.each<[OptimizerOptions, number]>([
  [{ kind: 'adamw', maxNorm: 3 }, 0.02],
  [{ kind: 'sgd', momentum: 0.9, nesterov: true }, 0.05],
])('%o learns, on weights that other steps can use', async (optimizer, lr) => {
  using training = await train(optimizer);
  for (let i = 0; i < 150; i++) training.run({ x, y }, { lr, weight: 2 });
  const { loss, error } = await training.latest();
  expect(error).toBeLessThan(0.2);
  expect(loss).toBeCloseTo(2 * error, 5);
  using forward = await compile(gpu, ({ weights }, { x }) => predict(parametersOf(weights.tensors), x), {
    state: training.state,
    batch: { x: spec([32, 2]) },
  });
  forward.run({ x });
  const after = [...(await forward.read('result'))].reduce((sum, value, i) => sum + (value - y[i]!) ** 2 / 32, 0);
  // one more update away from the loss of the last run
  expect(after).toBeLessThan(1.2 * error);
});

test('a training that is saved and loaded goes on with the same bits', async () => {
  using first = await train();
  for (let i = 0; i < 3; i++) first.run({ x, y }, { lr: 0.02, weight: 1 });
  using second = await train();
  await loadState(second.state, await fileOf(stateEntries(first.state)));
  for (const training of [first, second]) for (let i = 0; i < 3; i++) training.run({ x, y }, { lr: 0.02, weight: 1 });
  expect(await second.state.read('weights', 'fc1.weight')).toEqual(await first.state.read('weights', 'fc1.weight'));
  const names = stateEntries(first.state).map(({ name }) => name);
  expect(names).toContain('weights/fc1.weight');
  expect(names).toContain('optimizer/corrections');
  expect(stateEntries(first.state, 'weights').map(({ name }) => name)).toEqual(Object.keys(specs));
});

test('a file of another model is refused by name, and nothing is written', async () => {
  using training = await train();
  const before = await training.state.read('weights', 'fc1.weight');
  const entries = stateEntries(training.state, 'weights').map((entry) => ({
    ...entry,
    data: async () => (await entry.data()).map(() => 7),
  }));
  const other = entries.map((entry) => (entry.name === 'fc2.bias' ? { ...entry, shape: [2] } : entry));
  await expect(loadState(training.state, await fileOf(other), 'weights')).rejects.toThrow(
    /"fc2.bias" is \[2\] in the file and \[1\] in the state/,
  );
  await expect(loadState(training.state, await fileOf(entries.slice(1)), 'weights')).rejects.toThrow(
    /"fc1.weight" is absent in the file/,
  );
  expect(await training.state.read('weights', 'fc1.weight')).toEqual(before);
  // @ts-expect-error no such group
  expect(() => stateEntries(training.state, 'student')).toThrow(/no group "student"; groups are weights, gradient/);
});

test.each<[object, RegExp]>([
  [{ batch: {}, learning_rate: 1 }, /there is no option "learning_rate"; options are batch, knobs, optimizer, seed/],
  [{ knobs: {} }, /trainingStep: "batch" is missing/],
  [{ batch: {}, optimizer: { kind: 'adam' } }, /no optimizer of kind "adam"; kinds are adamw, sgd/],
  [{ batch: {}, optimizer: { kind: 'adamw', max_norm: 1 } }, /"max_norm", it is called maxNorm/],
  [{ batch: {}, optimizer: { kind: 'sgd', decay: 1 } }, /sgd: there is no option "decay"/],
])('%j is refused', async (options, message) => {
  const loss = (p: Parameters) => ({ loss: mean(p('fc1.weight')) });
  await expect(trainingStep(gpu, specs, loss, options as { batch: Record<never, never> })).rejects.toThrow(message);
});

test('what is missing is named, and nothing is left behind', async () => {
  const before = gpu.allocatedBytes;
  using training = await train();
  expect(() => training.run({ x, y }, { weight: 1 })).toThrow(/knob "lr" was never given/);
  const none = () => ({ error: constant([1], []) });
  // @ts-expect-error no loss
  await expect(trainingStep(gpu, specs, none, { batch: {} })).rejects.toThrow(/must return \{ loss, ... \}/);
  training.dispose();
  expect(gpu.allocatedBytes).toBe(before);
});
