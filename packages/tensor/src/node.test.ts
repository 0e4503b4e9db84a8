import { expect, test, vi } from 'vitest';
import { openGpu } from './node';

test('without npm webgpu, the error says what to install', async () => {
  vi.doMock('webgpu', () => {
    throw new Error("Cannot find package 'webgpu'");
  });
  await expect(openGpu()).rejects.toMatchObject({
    name: 'TensorError',
    code: 'adapter',
    message: expect.stringMatching(/cannot be loaded .*npm install webgpu$/s),
  });
  vi.doUnmock('webgpu');
});
