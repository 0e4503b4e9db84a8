import { expect, test } from 'vitest';
import { create } from 'webgpu';
import { listedAdapters, listedGpus, NO_ADAPTER } from './adapter-list';

const MESSAGE = [
  'no suitable backends found',
  'Available adapters:',
  " * backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)'",
  " * backend: 'null', name: 'Null backend'",
  " * backend: 'opengles', name: 'NVIDIA H100 80GB HBM3/PCIe/SSE2'",
  " * backend: 'vulkan', name: 'NVIDIA H100 80GB HBM3'",
  " * backend: 'vulkan', name: 'SwiftShader Device (LLVM 16)'",
].join('\n');

test('adapters are read off the message, and GPUs are told from what computes on the processor', () => {
  expect(listedAdapters(MESSAGE)).toHaveLength(5);
  expect(listedGpus(listedAdapters(MESSAGE))).toEqual([{ backend: 'vulkan', name: 'NVIDIA H100 80GB HBM3' }]);
});

test('a message of another form lists nothing', () => {
  expect(listedAdapters('no adapter was found')).toEqual([]);
  expect(listedAdapters('')).toEqual([]);
});

test('the bindings that are installed write such a message', async () => {
  const message = await create([`adapter=${NO_ADAPTER}`])
    .requestAdapter()
    .then(
      () => '',
      (error: Error) => error.message,
    );
  expect(listedAdapters(message).length).toBeGreaterThan(0);
});
