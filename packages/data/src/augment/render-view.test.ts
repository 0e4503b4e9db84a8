import { expect, it } from 'vitest';
import type { PixelImage } from '../images/image';
import { drawMultiCrop, FRANCA_MULTI_CROP, multiCropRecipes, placeMultiCrop } from './multi-crop';
import { IMAGENET_NORMALISATION, normalisationTable, normalise } from './normalise';
import { renderView, renderViews, renderViewsInto } from './render-view';
import type { ViewParams } from './view-params';

const WIDTH = 60;
const HEIGHT = 45;
const image: PixelImage = {
  width: WIDTH,
  height: HEIGHT,
  channels: 3,
  data: Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 2654435761) >>> 24),
};
const plain: ViewParams = {
  size: 20,
  box: { left: 3, top: 2, width: 40, height: 33 },
  flip: false,
  jitter: null,
  grayscale: false,
  blurSigma: null,
  solarize: null,
};

it('is pure: the same record gives the same bytes and the image stays as it was', () => {
  const before = image.data.slice();
  const jitter = {
    order: ['hue' as const, 'contrast' as const],
    brightness: 1,
    contrast: 0.8,
    saturation: 1,
    hue: 0.1,
  };
  const params: ViewParams = { ...plain, jitter, blurSigma: 1, solarize: 128 };
  expect(renderView(image, params)).toEqual(renderView(image, params));
  expect(image.data).toEqual(before);
});

it('solarizes after the blur', () => {
  const { data: blurred } = renderView(image, { ...plain, blurSigma: 1.5 });
  const { data: both } = renderView(image, { ...plain, blurSigma: 1.5, solarize: 100 });
  expect(both).toEqual(blurred.map((value) => (value >= 100 ? 255 - value : value)));
});

it('makes all three channels equal in a grayscale view', () => {
  const { data: pixels } = renderView(image, { ...plain, grayscale: true, blurSigma: 1 });
  for (let i = 0; i < pixels.length; i += 3) {
    expect(pixels[i + 1]).toBe(pixels[i]);
    expect(pixels[i + 2]).toBe(pixels[i]);
  }
});

it('fills every slot of a crop-major batch with its own view', () => {
  const config = { ...FRANCA_MULTI_CROP, global_crops_size: 24, local_crops_size: 12, local_crops_number: 3 };
  const recipes = multiCropRecipes(config);
  const views = [0, 1].map((position) => drawMultiCrop(recipes, image, { seed: 4, position }));
  const { local } = placeMultiCrop(views);
  const length = 3 * 12 * 12;
  const { data: batch, shape } = renderViews([image, image], local);
  expect(shape).toEqual([6, 3, 12, 12]);
  const expected = normalise(
    renderView(image, views[1]![3]!).data,
    normalisationTable(IMAGENET_NORMALISATION),
    new Float32Array(length),
  );
  // Second local view (index 1) of sample 1 of 2.
  expect(batch.subarray(3 * length, 4 * length)).toEqual(expected);
});

it.each([
  [{ left: 30, top: 0, width: 31, height: 10 }],
  [{ left: 0, top: -1, width: 5, height: 5 }],
  [{ left: 0, top: 0, width: 0, height: 5 }],
  [{ left: 0.5, top: 0, width: 5, height: 5 }],
])('refuses the crop %j of a 60 x 45 image', (box) => {
  expect(() => renderView(image, { ...plain, box })).toThrow(/does not lie inside the 60 x 45 image/);
});

it('refuses a slot outside the batch, and an image that is not there', () => {
  const batch = new Float32Array(2 * 3 * 20 * 20);
  expect(() => renderViewsInto(batch, [image], [{ image: 0, slot: 2, params: plain }])).toThrow(/2 slots/);
  expect(() => renderViewsInto(batch, [image], [{ image: 1, slot: 0, params: plain }])).toThrow(/1 images/);
  const views = [
    { image: 0, slot: 0, params: plain },
    { image: 0, slot: 1, params: { ...plain, size: 10 } },
  ];
  expect(() => renderViewsInto(batch, [image], views)).toThrow(/views of 20 and 10 px/);
  expect(() => renderViews([image], [])).toThrow(/no view/);
});
