import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { create } from 'webgpu';
import type { PixelImage } from '../images/image';
import { createRandom } from '../random';
import { JITTER_STEPS, type JitterStep } from './color-jitter';
import { createGpuAugmenter, type GpuAugmenterOptions } from './gpu-augmenter';
import { drawMultiCrop, FRANCA_MULTI_CROP, multiCropRecipes, type PlacedView, placeMultiCrop } from './multi-crop';
import { IMAGENET_NORMALISATION } from './normalise';
import { renderViews } from './render-view';
import type { ViewParams } from './view-params';

const STORAGE_AND_COPY_SOURCE = 128 | 4;

let gpu: Gpu;
const complaints: string[] = [];
beforeAll(async () => {
  gpu = await openGpu();
  gpu.device.addEventListener('uncapturederror', (event) => complaints.push(event.error.message));
});
afterAll(async () => {
  await gpu.dispose();
  expect(complaints).toEqual([]);
});

/** Smooth colour waves with fine noise: hues, saturations and levels of every kind. */
function picture(width: number, height: number, channels: 3 | 4): PixelImage {
  const random = createRandom({ seed: 1, position: width, stream: height });
  const data = new Uint8Array(width * height * channels).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const wave = Math.sin(x / (5 + 3 * channel)) * Math.cos(y / (11 - 3 * channel));
        data[(y * width + x) * channels + channel] = 128 + 100 * wave + random.uniform(-25, 25);
      }
    }
  }
  return { width, height, channels, data };
}
// 61 * 47 * 3 is not a multiple of 4: the upload has to pad.
const IMAGES = [picture(61, 47, 3), picture(80, 53, 4), picture(33, 90, 3)];

async function renderOnGpu(views: PlacedView[], size: number, options?: GpuAugmenterOptions): Promise<Float32Array> {
  const length = views.length * 3 * size * size;
  const output = gpu.createBuffer('views', length * 4, STORAGE_AND_COPY_SOURCE);
  using augmenter = createGpuAugmenter(gpu.device, { imageBytes: 2 ** 16, viewBytes: 2 ** 18, ...options });
  augmenter.render(IMAGES, [{ views, output }]);
  const result = new Float32Array(await gpu.readBytes(output, 0, length * 4));
  gpu.destroyBuffer(output);
  return result;
}

/** Differences in levels of 8 bits, value by value. */
function levelsApart(a: Float32Array, b: Float32Array, size: number): number[] {
  return Array.from(a, (value, i) => {
    const channel = Math.floor(i / (size * size)) % 3;
    return Math.abs(value - b[i]!) * IMAGENET_NORMALISATION.std[channel]! * 255;
  });
}

const plain: ViewParams = {
  size: 24,
  box: { left: 5, top: 3, width: 52, height: 41 },
  flip: false,
  jitter: null,
  grayscale: false,
  blurSigma: null,
  solarize: null,
};
const one = (step: JitterStep): ViewParams => ({
  ...plain,
  jitter: { order: [step], brightness: 1.31, contrast: 0.66, saturation: 1.17, hue: -0.083 },
});
const STEPS: [name: string, params: ViewParams][] = [
  ['shrinks', plain],
  ['enlarges', { ...plain, box: { left: 20, top: 20, width: 9, height: 14 } }],
  ['copies', { ...plain, box: { left: 1, top: 2, width: 24, height: 24 } }],
  ['mirrors', { ...plain, flip: true }],
  ...JITTER_STEPS.map((step): [string, ViewParams] => [`changes ${step}`, one(step)]),
  ['makes gray', { ...plain, grayscale: true }],
  ['blurs', { ...plain, blurSigma: 1.4 }],
  ['hardly blurs', { ...plain, blurSigma: 0.1 }],
  ['solarizes', { ...plain, solarize: 128 }],
];

describe('each step', () => {
  it('differs from the TypeScript twin in few bytes, and by little', async () => {
    const views = STEPS.map(([, params], slot) => ({ image: slot % 2, slot, params }));
    const { data: expected } = renderViews(IMAGES, views);
    const apart = levelsApart(await renderOnGpu(views, 24), expected, 24);
    STEPS.forEach(([name], slot) => {
      const own = apart.slice(slot * 3 * 24 * 24, (slot + 1) * 3 * 24 * 24);
      // A resize pass sums at most some twenty products below 2^8 in single precision, an error below 1e-3: its rounding
      // may fall the other way next to a tie. One level of the first pass weighs at most 1.3 in the second, which may add a
      // level: 2, times 1.31 for the strongest factor here; hue moves in steps of 6 levels where such a level moves it.
      const worst = own.reduce((max, value) => Math.max(max, value), 0);
      expect(worst, name).toBeLessThanOrEqual(name === 'changes hue' ? 8.6 : 2.7);
      const share = own.filter((value) => value > 0.5).length / own.length;
      expect(share, name).toBeLessThan(0.005);
    });
  });
});

describe('drawn views', () => {
  const config = { ...FRANCA_MULTI_CROP, global_crops_size: 32, local_crops_size: 21, local_crops_number: 6 };
  const recipes = multiCropRecipes(config);
  const views = IMAGES.map((image, position) => drawMultiCrop(recipes, image, { seed: 8, position }));
  const { local } = placeMultiCrop(views);

  it('are those of the twin: 99.5 % of the bytes equal, the rest close', async () => {
    const { data: expected } = renderViews(IMAGES, local);
    const apart = levelsApart(await renderOnGpu(local, 21), expected, 21);
    // As above, with all factors at their largest: 2 * 1.4 * 1.4 * 1.2 = 4.7 levels, and one step of hue.
    expect(apart.reduce((max, value) => Math.max(max, value), 0)).toBeLessThan(11);
    expect(apart.filter((value) => value > 0.5).length / apart.length).toBeLessThan(0.005);
  });

  it('do not depend on how many rounds the capacities force', async () => {
    const whole = await renderOnGpu(local, 21);
    // Room for one image at a time, and for a view or two.
    const pieces = await renderOnGpu(local, 21, { imageBytes: 80 * 53 * 4, viewBytes: 90 * 21 * 4 });
    expect(Buffer.from(pieces.buffer).equals(Buffer.from(whole.buffer))).toBe(true);
  });

  it('create nothing on the device after the first call', async () => {
    const output = gpu.createBuffer('views', local.length * 3 * 21 * 21 * 4, STORAGE_AND_COPY_SOURCE);
    using augmenter = createGpuAugmenter(gpu.device, { imageBytes: 2 ** 16, viewBytes: 2 ** 16 });
    augmenter.render(IMAGES, [{ views: local, output }]);
    const spies = (['createBuffer', 'createBindGroup', 'createComputePipeline', 'createShaderModule'] as const).map(
      (method) => vi.spyOn(gpu.device, method),
    );
    for (let call = 0; call < 3; call++) augmenter.render(IMAGES, [{ views: local, output }]);
    expect(spies.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0, 0]);
    for (const spy of spies) spy.mockRestore();
    await gpu.wait(gpu.device.queue.onSubmittedWorkDone());
    gpu.destroyBuffer(output);
  });

  it('are not touched when the kernels are compiled beforehand, and the same afterwards', async () => {
    const length = local.length * 3 * 21 * 21;
    await using own = await openGpu();
    const output = own.createBuffer('views', length * 4, STORAGE_AND_COPY_SOURCE | 8);
    own.device.queue.writeBuffer(output, 0, new Float32Array(length).fill(7));
    using augmenter = createGpuAugmenter(own.device, { imageBytes: 2 ** 16, viewBytes: 2 ** 18 });
    await augmenter.warm(output);
    expect(new Float32Array(await own.readBytes(output, 0, length * 4)).every((value) => value === 7)).toBe(true);
    augmenter.render(IMAGES, [{ views: local, output }]);
    expect(new Float32Array(await own.readBytes(output, 0, length * 4))).toEqual(await renderOnGpu(local, 21));
    own.destroyBuffer(output);
  });

  it('come in f16 where the device has it', async ({ skip }) => {
    skip(!gpu.device.features.has('shader-f16'), 'the adapter has no f16');
    const length = local.length * 3 * 21 * 21;
    const output = gpu.createBuffer('views', length * 2, STORAGE_AND_COPY_SOURCE);
    using augmenter = createGpuAugmenter(gpu.device, { imageBytes: 2 ** 16, viewBytes: 2 ** 18, format: 'f16' });
    augmenter.render(IMAGES, [{ views: local, output }]);
    const halves = new Uint16Array(await gpu.readBytes(output, 0, length * 2));
    const wide = await renderOnGpu(local, 21);
    // Values lie below 4 in magnitude, where f16 is spaced by 2^-9; rounding to nearest errs by half of that.
    for (let i = 0; i < length; i++) expect(Math.abs(fromHalf(halves[i]!) - wide[i]!)).toBeLessThanOrEqual(2 ** -10);
    gpu.destroyBuffer(output);
  });
});

describe("a device with WebGPU's default limits", () => {
  it.each(['f32', 'f16'] as const)('validates every kernel and command with results in %s', async (format) => {
    const root = create(['backend=null']);
    const adapter = (await root.requestAdapter())!;
    const device = await adapter.requestDevice({ requiredFeatures: format === 'f16' ? ['shader-f16'] : [] });
    device.pushErrorScope('validation');
    const output = device.createBuffer({ size: 3 * 24 * 24 * 4, usage: STORAGE_AND_COPY_SOURCE });
    createGpuAugmenter(device, { format }).render(IMAGES, [{ views: [{ image: 0, slot: 0, params: plain }], output }]);
    expect((await device.popErrorScope())?.message).toBeUndefined();
    device.destroy();
    // The bindings crash when their root object is collected before its devices are done.
    expect(root).toBeDefined();
  });
});

describe('limits', () => {
  const output = (): GPUBuffer => gpu.createBuffer('views', 3 * 24 * 24 * 4, STORAGE_AND_COPY_SOURCE);
  const render = (images: PixelImage[], view: Partial<PlacedView>, options: GpuAugmenterOptions = {}) => {
    const buffer = output();
    try {
      using augmenter = createGpuAugmenter(gpu.device, { imageBytes: 2 ** 16, viewBytes: 2 ** 16, ...options });
      augmenter.render(images, [{ views: [{ image: 0, slot: 0, params: plain, ...view }], output: buffer }]);
    } finally {
      gpu.destroyBuffer(buffer);
    }
  };

  it('names an image that does not fit, and what would hold it', () => {
    expect(() => render([IMAGES[0]!], {}, { imageBytes: 4096 })).toThrow(
      expect.objectContaining({ code: 'image-too-large', message: expect.stringContaining('61 x 47') }),
    );
  });

  it('names a crop that does not fit', () => {
    expect(() => render([IMAGES[0]!], {}, { viewBytes: 41 * 24 * 4 - 4 })).toThrow(/crop of 41 rows at 24 px/);
  });

  it('refuses a slot past the output, an unknown image and a crop outside its image', () => {
    expect(() => render([IMAGES[0]!], { slot: 1 })).toThrow(/room for 1 slots/);
    expect(() => render([IMAGES[0]!], { image: 1 })).toThrow(/1 images/);
    const box = { left: 0, top: 0, width: 62, height: 10 };
    expect(() => render([IMAGES[0]!], { params: { ...plain, box } })).toThrow(/does not lie inside/);
  });

  it('refuses a capacity beyond what the device binds', () => {
    const tooMuch = gpu.device.limits.maxStorageBufferBindingSize + 4;
    expect(() => createGpuAugmenter(gpu.device, { viewBytes: tooMuch })).toThrow(/viewBytes/);
  });
});

/** Value of an IEEE half. */
function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const magnitude = exponent === 0 ? 2 ** -14 * fraction : 2 ** (exponent - 15) * (1 + fraction);
  return bits & 0x8000 ? -magnitude : magnitude;
}
