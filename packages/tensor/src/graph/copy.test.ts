import { afterAll, expect, test, vi } from 'vitest';
import { compile } from '../compile';
import { createState } from '../device/state';
import { openGpu } from '../node';
import { assign, type GroupTensors } from '../ops/assign';
import { add, mul } from '../ops/elementwise';
import { sum } from '../ops/reduce';
import { constant } from '../ops/sources';
import { grad } from '../passes/grad';
import { COPY } from './copy';

const gpu = await openGpu();
afterAll(() => gpu.dispose());

// as npm installs it where a package asks for another version: the same code, loaded twice
vi.resetModules();
const other = await import('../index');
const { openGpu: openOther } = await import('../node');

const refused = {
  code: 'copies',
  message: expect.stringMatching(/two copies of @franca\/tensor meet.*npm ls @franca\/tensor/),
};
const w = { a: { shape: [2], dtype: 'f32' } } as const;

test('an op refuses what another copy recorded', () => {
  const error = expect.objectContaining(refused);
  expect(() => add(other.constant([1], [1]), 1)).toThrow(error);
  expect(() => other.mul(constant([1], [1]), constant([2], [1]))).toThrow(error);
});

test('a step refuses results, gradients and updates of another copy', async () => {
  await expect(compile(gpu, () => ({ y: other.constant([1], []) }))).rejects.toMatchObject(refused);
  const weight = other.constant([1], []);
  await expect(compile(gpu, () => ({ y: grad(sum(constant([1], [1])), [weight])[0] }))).rejects.toMatchObject(refused);
  using state = createState(gpu, { w });
  const update = ({ w: group }: { w: GroupTensors<'a'> }) => void other.assign(group.tensors.a, group.tensors.a);
  await expect(compile(gpu, update, { state })).rejects.toMatchObject(refused);
});

test('a device and a state serve the copy that made them', async () => {
  expect(() => other.createState(gpu, { w })).toThrow(expect.objectContaining(refused));
  await expect(other.compile(gpu, () => ({}))).rejects.toMatchObject(refused);
  await using second = await openOther();
  using state = other.createState(second, { w });
  await expect(compile(gpu, (s) => ({ y: s.w.tensors.a }), { state })).rejects.toMatchObject(refused);
});

test('what has no mark comes from an older version', () => {
  const made = mul(constant([1], [1]), 2);
  const old = { ...made, node: { ...made.node, [COPY]: undefined as never } };
  expect(() => assign(old, old)).toThrow(/comes from an older version/);
});
