/** Opening a GPU in a browser, with Node's bindings in the place of `navigator.gpu`. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { create } from 'webgpu';
import { openGpu } from './browser';

afterEach(() => vi.unstubAllGlobals());

const noAdapter = { requestAdapter: async () => null };

describe('what is missing is said, with what to do', () => {
  test.each([
    ['no WebGPU', undefined, true, /there is no navigator\.gpu.*current Chrome, Edge, Safari or Firefox/],
    ['an insecure page', undefined, false, /secure pages only; serve this page by https/],
    ['no adapter', noAdapter, true, /no WebGPU adapter; .*--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader/],
  ])('%s', async (_, gpu, secure, message) => {
    vi.stubGlobal('navigator', { gpu });
    vi.stubGlobal('isSecureContext', secure);
    await expect(openGpu()).rejects.toMatchObject({ code: 'adapter', message: expect.stringMatching(message) });
  });

  test('a browser that throws', async () => {
    const requestAdapter = () => Promise.reject(new Error('blocked by policy'));
    vi.stubGlobal('navigator', { gpu: { requestAdapter } });
    await expect(openGpu()).rejects.toMatchObject({
      code: 'adapter',
      message: expect.stringMatching(/blocked by policy/),
    });
  });

  test('an adapter that gives no device', async () => {
    const adapter = {
      features: new Set(),
      limits: {},
      requestDevice: () => Promise.reject(new Error('out of memory')),
    };
    vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => adapter } });
    const message = expect.stringMatching(/gives no device \(out of memory\)/);
    await expect(openGpu()).rejects.toMatchObject({ code: 'adapter', message });
  });

  test('a name of an adapter, which only Node knows', async () => {
    // @ts-expect-error: from plain JavaScript
    await expect(openGpu({ adapter: 'llvmpipe' })).rejects.toMatchObject({ code: 'adapter' });
  });
});

describe('an adapter', () => {
  const bindings = create(['adapter=llvmpipe']);

  test('software is asked for as the fallback adapter, and its kernels are those of processors', async () => {
    const requestAdapter = vi.fn(() => bindings.requestAdapter());
    vi.stubGlobal('navigator', { gpu: { requestAdapter }, userAgent: 'test 1' });
    await using gpu = await openGpu({ adapter: 'software', memoryLimit: 1000, tuning: false });
    expect(requestAdapter).toHaveBeenCalledWith({ powerPreference: 'high-performance', forceFallbackAdapter: true });
    expect(gpu.target.family).toBe('cpu');
    expect(gpu.tuning.cache).toBeUndefined();
    expect(() => gpu.createBuffer('large', 2000, 128)).toThrow(/memory/);
  });

  test('gpu takes no software adapter for a GPU', async () => {
    vi.stubGlobal('navigator', { gpu: bindings, userAgent: 'test 1' });
    const message = expect.stringMatching(/the browser offers no GPU; .*switch graphics acceleration on/);
    await expect(openGpu({ adapter: 'gpu', tuning: false })).rejects.toMatchObject({ code: 'adapter', message });
  });

  test('kernel choices are kept in localStorage by adapter and browser, or with the page', async () => {
    const items = new Map<string, string>();
    vi.stubGlobal('navigator', { gpu: bindings, userAgent: 'test 1' });
    vi.stubGlobal('localStorage', {
      getItem: (name: string) => items.get(name) ?? null,
      setItem: (name: string, value: string) => items.set(name, value),
    });
    await using first = await openGpu();
    first.tuning.cache!.set('product', 'tall');
    await using second = await openGpu();
    expect(second.tuning.cache!.get('product')).toBe('tall');
    expect([...items.keys()]).toEqual([expect.stringMatching(/llvmpipe.*test 1, @franca\/tensor \d/)]);
    await using page = await openGpu({ tuning: 'memory' });
    expect(page.tuning.cache!.get('product')).toBeUndefined();
  });
});
