/** Allocations that the driver refuses: the null backend has 512 MiB, and tells of more as a GPU does that is full. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compile } from '../compile';
import { openGpu } from '../node';
import { add } from '../ops/elementwise';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';
import { createState } from './state';

const MiB = 2 ** 20;
let gpu: Gpu;
beforeEach(async () => {
  gpu = await openGpu({ adapter: 'null' });
});
afterEach(() => gpu.dispose());

const buffersOf = (mebibytes: readonly number[]): GPUBuffer[] =>
  mebibytes.map((size, i) => gpu.createBuffer(`part ${i}`, size * MiB, GPU_BUFFER_USAGE.STORAGE));

describe('a buffer that the driver refuses', () => {
  test('is named to whoever awaits it, and the device goes on', async () => {
    const buffers = buffersOf([200, 200, 200]);
    const granted = gpu.granted(buffers);
    await expect(granted).rejects.toMatchObject({
      code: 'memory',
      message: expect.stringMatching(/refused the buffer "part 2" of 209715200 bytes beside 419430400 bytes in use/),
    });
    for (const buffer of buffers) gpu.destroyBuffer(buffer);
    const smaller = buffersOf([200, 200]);
    await gpu.granted(smaller);
    for (const buffer of smaller) gpu.destroyBuffer(buffer);
  });
  test('fails the device where nobody awaits it', async () => {
    const buffers = buffersOf([200, 200, 200]);
    const done = gpu.wait(
      gpu.device.queue.onSubmittedWorkDone().then(() => new Promise((resolve) => setTimeout(resolve, 50))),
    );
    await expect(done).rejects.toMatchObject({ code: 'memory', message: expect.stringMatching(/"part 2"/) });
    expect(() => gpu.createBuffer('next', 16, GPU_BUFFER_USAGE.STORAGE)).toThrow(/"part 2"/);
    for (const buffer of buffers) gpu.destroyBuffer(buffer);
  });
  test('of state ends compile, before the first run', async () => {
    const tensor = { shape: [50 * MiB], dtype: 'f32' } as const;
    using state = createState(gpu, { a: { x: tensor }, b: { x: tensor }, c: { x: tensor } });
    state.write('c', 'x', new Float32Array(50 * MiB));
    const step = compile(gpu, (_, { x }) => add(x, 1), { state, batch: { x: { shape: [4], dtype: 'f32' } } });
    await expect(step).rejects.toMatchObject({ code: 'memory', message: expect.stringMatching(/"state c\[0\]"/) });
  });
  test('of a step ends compile, and leaves nothing behind', async () => {
    const x = { shape: [30 * MiB], dtype: 'f32' } as const;
    const batch = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, x]));
    const step = compile(gpu, (_, values) => Object.values(values).map((value) => add(value, 1)), { batch });
    await expect(step).rejects.toMatchObject({ code: 'memory', message: expect.stringMatching(/refused the buffer/) });
    expect(gpu.allocatedBytes).toBe(0);
  });
});
