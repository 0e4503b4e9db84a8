import { totalmem } from 'node:os';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { create } from 'webgpu';
import { compile } from './compile';
import { NO_ADAPTER } from './device/adapter-list';
import { listGpus, openGpu } from './node';
import { add } from './ops/elementwise';
import { sum } from './ops/reduce';

afterEach(() => vi.doUnmock('webgpu'));

test('without npm webgpu, the error says what to install', async () => {
  vi.doMock('webgpu', () => {
    throw new Error("Cannot find package 'webgpu'");
  });
  await expect(openGpu()).rejects.toMatchObject({
    name: 'TensorError',
    code: 'adapter',
    message: expect.stringMatching(/cannot be loaded .*npm install webgpu$/s),
  });
});

/**
 * A machine that names the software adapter first, and that lists `others` beside it. What is listed answers as the null backend does, which no
 * program takes for a software adapter.
 */
function stubMachine(others: readonly string[]): { asked: string[] } {
  const asked: string[] = [];
  const fake = (flags: readonly string[]) => {
    const name = flags.find((flag) => flag.startsWith('adapter='))?.slice('adapter='.length);
    asked.push(name ?? 'any');
    if (name === NO_ADAPTER) {
      const lines = ['llvmpipe (LLVM 15)', ...others].map((other) => ` * backend: 'vulkan', name: '${other}'`);
      return { requestAdapter: () => Promise.reject(new Error(['Available adapters:', ...lines].join('\n'))) };
    }
    return create([name ? 'backend=null' : 'adapter=llvmpipe']);
  };
  vi.doMock('webgpu', () => ({ create: fake }));
  return { asked };
}

describe('a GPU is taken before the software adapter', () => {
  test.each(['auto', 'gpu'])('by %s, although the software adapter is named first', async (adapter) => {
    const { asked } = stubMachine(['SwiftShader Device (LLVM 16)', 'NVIDIA H100 80GB HBM3']);
    await using gpu = await openGpu({ adapter, tuning: false });
    expect(gpu.target.family).toBe('gpu');
    expect(asked).toEqual(['any', NO_ADAPTER, 'NVIDIA H100 80GB HBM3']);
  });
  test('and the software adapter is taken by auto where there is no other', async () => {
    stubMachine([]);
    await using gpu = await openGpu({ tuning: false });
    expect(gpu.target.family).toBe('cpu');
  });
  test('but not by gpu, which says what answers and what to install', async () => {
    stubMachine([]);
    await expect(openGpu({ adapter: 'gpu' })).rejects.toMatchObject({
      code: 'adapter',
      message: expect.stringMatching(/^no GPU answers, only llvmpipe.*which computes on the processor; .*install/),
    });
  });
});

describe('a GPU among several', () => {
  const others = ['NVIDIA L4', 'NVIDIA H100 80GB HBM3'];
  test('is taken by its number, which counts GPUs alone', async () => {
    const { asked } = stubMachine(others);
    expect(await listGpus()).toEqual(others);
    await using gpu = await openGpu({ adapter: 'gpu:1', tuning: false });
    expect([gpu.target.family, asked.at(-1)]).toEqual(['gpu', others[1]]);
  });
  test('is refused where there is none of that number', async () => {
    stubMachine(others);
    await expect(openGpu({ adapter: 'gpu:2' })).rejects.toThrow(
      /^there is no adapter gpu:2; gpu:0 is NVIDIA L4, gpu:1 is NVIDIA H100 80GB HBM3$/,
    );
    stubMachine([]);
    await expect(openGpu({ adapter: 'gpu:0' })).rejects.toThrow(/^no WebGPU adapter answers to "gpu"/);
  });
});

test('the software adapter has the memory of the machine, and leaves a fifth of it', async () => {
  await using gpu = await openGpu({ adapter: 'software', tuning: false });
  expect(gpu.target.memoryBytes).toBe(totalmem());
  expect(gpu.memoryLimit).toBe(Math.floor(totalmem() * 0.8));
  await using own = await openGpu({ adapter: 'software', tuning: false, memoryLimit: 1e6, target: { memoryBytes: 5 } });
  expect([own.memoryLimit, own.target.memoryBytes]).toEqual([1e6, 5]);
});

test('times of kernels are not rounded to the 65536 ns of a driver that hides its clock', async () => {
  await using gpu = await openGpu({ adapter: 'software', tuning: false });
  const x = { shape: [64, 64], dtype: 'f32' } as const;
  using step = await compile(gpu, (_, batch) => sum(add(batch.x, 1)), { batch: { x }, fusion: false });
  const times = await step.profile({ x: new Float32Array(64 * 64) });
  const nanoseconds = times.map(({ milliseconds }) => Math.round(milliseconds * 1e6));
  expect(nanoseconds.filter((time) => time % 65536 !== 0)).not.toEqual([]);
});
