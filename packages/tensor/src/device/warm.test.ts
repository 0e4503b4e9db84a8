import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile } from '../compile';
import { openGpu } from '../node';
import { assign } from '../ops/assign';
import { add, gelu, mul } from '../ops/elementwise';
import { matmul } from '../ops/matmul/matmul';
import { sum } from '../ops/reduce';
import { layerNorm } from '../ops/rows/layer-norm';
import { softmax } from '../ops/rows/softmax';
import { normals } from '../testing';
import type { Gpu } from './gpu';
import { createState, type State } from './state';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ adapter: 'software' });
});
afterAll(() => gpu.dispose());

const size = 24;
const square = { shape: [size, size], dtype: 'f32' as const };
const vector = { shape: [size], dtype: 'f32' as const };
const values = normals(size * size, 1);

/** A step of several distinct kernels, two of which run twice, that updates state and gives an output. */
const compileStep = (on: Gpu, state: State) =>
  compile(
    on,
    (groups, { x }) => {
      const { weight, gain } = groups.w!.tensors;
      const once = layerNorm(matmul(softmax(x), weight!), gain!, gain!);
      const twice = gelu(layerNorm(matmul(softmax(once), weight!), gain!, gain!));
      const loss = sum(mul(twice, twice));
      assign(weight!, add(weight!, twice));
      return { loss };
    },
    { state, batch: { x: square } },
  );

function filledState(on: Gpu): State {
  const state = createState(on, { w: { weight: square, gain: vector } });
  state.write('w', 'weight', values);
  state.write('w', 'gain', normals(size, 2));
  return state;
}

test('every distinct kernel is reported once, and none a second time', async () => {
  using state = filledState(gpu);
  using step = await compileStep(gpu, state);
  const { kernels, distinctKernels } = step.report;
  expect(distinctKernels).toBeLessThan(kernels);
  const created = { ...gpu.created };
  const said: string[] = [];
  const onProgress = (done: number, total: number) => said.push(`${done}/${total}`);
  await step.warm({ onProgress });
  expect(said).toEqual(Array.from({ length: distinctKernels + 1 }, (_, i) => `${i}/${distinctKernels}`));
  expect(gpu.created).toEqual({ ...created, buffers: created.buffers + 1 });
  await step.warm({ onProgress });
  using again = await compileStep(gpu, state);
  await again.warm({ onProgress });
  expect(said).toHaveLength(distinctKernels + 1);
});

test('state and outputs are untouched, before a step and between steps', async () => {
  await using cold = await openGpu({ adapter: 'software' });
  using state = filledState(cold);
  using step = await compileStep(cold, state);
  await step.warm();
  expect(await state.read('w', 'weight')).toEqual(Float32Array.from(values));
  step.run({ x: values });
  const [loss, weight] = [await step.read('loss'), await state.read('w', 'weight')];

  await using other = await openGpu({ adapter: 'software' });
  using plainState = filledState(other);
  using plain = await compileStep(other, plainState);
  plain.run({ x: values });
  expect([await plain.read('loss'), await plainState.read('w', 'weight')]).toEqual([loss, weight]);
  await plain.warm();
  expect([await plain.read('loss'), await plainState.read('w', 'weight')]).toEqual([loss, weight]);
});

test('an aborted signal ends it between two kernels; the rest follows next time', async () => {
  await using cold = await openGpu({ adapter: 'software' });
  using state = filledState(cold);
  using step = await compileStep(cold, state);
  const { distinctKernels } = step.report;
  const controller = new AbortController();
  const first: number[] = [];
  const onProgress = (done: number): void => {
    first.push(done);
    if (done === 2) controller.abort();
  };
  await expect(step.warm({ onProgress, signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
  expect(first).toEqual([0, 1, 2]);
  await expect(step.warm({ signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
  const totals: number[] = [];
  await step.warm({ onProgress: (_, total) => totals.push(total) });
  expect(totals[0]).toBe(distinctKernels - 2);
  step.run({ x: values });
  expect(Number.isFinite((await step.read('loss'))[0])).toBe(true);
});

test('nothing is done on an adapter that compiles at once', async () => {
  await using device = await openGpu({ adapter: 'null' });
  using state = createState(device, { w: { weight: square, gain: vector } });
  using step = await compileStep(device, state);
  const { buffers } = device.created;
  await step.warm({ onProgress: () => expect.unreachable() });
  expect(device.created.buffers).toBe(buffers);
});

// What the driver compiled lies in its cache, a file each: the only count of compilations that it gives.
const program = `
  import { readdirSync } from 'node:fs';
  import { setTimeout } from 'node:timers/promises';
  import { compile, gelu, input, matmul, softmax, sum } from '${new URL('../index.ts', import.meta.url).href}';
  import { openGpu } from '${new URL('../node.ts', import.meta.url).href}';
  const gpu = await openGpu({ adapter: 'software' });
  const square = { shape: [32, 32], dtype: 'f32' };
  const step = await compile(gpu, (_, { x }) => sum(softmax(gelu(matmul(x, x)))), { batch: { x: square } });
  // files are written by a thread of the driver
  const files = async () => {
    await setTimeout(500);
    return readdirSync(process.env.MESA_SHADER_CACHE_DIR, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
  };
  const before = await files();
  await step.warm();
  const warm = await files();
  step.run({ x: new Float32Array(1024) });
  await step.done();
  console.log(JSON.stringify({ name: gpu.target.name, distinct: step.report.distinctKernels, before, warm, after: await files() }));
  step.dispose();
  await gpu.dispose();
`;

test('the driver has nothing to compile afterwards', async (context) => {
  const cache = await mkdtemp(join(tmpdir(), 'franca-warm-'));
  try {
    const env = { ...process.env, MESA_SHADER_CACHE_DIR: cache, MESA_DISK_CACHE_MULTI_FILE: '1' };
    const args = ['--import', 'tsx', '--input-type=module', '-e', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    const { name, distinct, before, warm, after } = JSON.parse(stdout);
    context.skip(!name.includes('llvmpipe'), 'only Mesa has this cache');
    expect(warm - before).toBeGreaterThanOrEqual(distinct);
    expect(after).toBe(warm);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
});
