import { type PixelImage, resizeBicubic } from '@franca/data';
import { expect, test } from 'vitest';
import { PAPER_IN_CONTEXT, PAPER_LINEAR, PAPER_LINEAR_SEG } from '../eval/paper-protocol';
import { type CropDraw, cropMask, cropPicture, drawCrop } from './crops';
import { describePreparation, prepare } from './preparation';

const NECO: CropDraw = { recipe: PAPER_LINEAR_SEG.crops, seed: 0, pass: 0 };
const HUMMINGBIRD: CropDraw = { recipe: PAPER_IN_CONTEXT.crops, seed: 0, pass: 0 };

/** A picture that is bright where its mask is 1, in a pattern without symmetry. */
function scene(width: number, height: number) {
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return Number((x - 0.3 * width) ** 2 + (y - 0.6 * height) ** 2 < (0.25 * height) ** 2 || x > 0.85 * width);
  });
  const rgb = Uint8Array.from({ length: 3 * data.length }, (_, i) => (data[Math.floor(i / 3)] ? 220 : 40));
  const picture: PixelImage = { width, height, channels: 3, data: rgb };
  return { picture, mask: { data, width, height } };
}

/** Share of pixels whose brightness says what the mask says. */
function agreement(picture: PixelImage, mask: Uint8Array): number {
  const right = mask.filter((label, i) => Number(picture.data[3 * i]! > 130) === label);
  return right.length / mask.length;
}

test.each([
  ['neco', NECO],
  ['hummingbird', HUMMINGBIRD],
] as const)('picture and mask are cut by one crop (%s)', (_, draw) => {
  const { picture, mask } = scene(120, 90);
  const before = picture.data.slice();
  for (let image = 0; image < 20; image++) {
    const crop = drawCrop(draw, image, picture);
    const cut = cropMask(mask, picture, crop, 64, 'centre');
    // all but the soft edges
    expect(agreement(cropPicture(picture, crop, 64), cut)).toBeGreaterThan(0.97);
    expect(agreement(cropPicture(picture, { ...crop, flip: !crop.flip }, 64), cut)).toBeLessThan(0.95);
    // a mask of twice the size is cut at the same place
    const large = scene(240, 180).mask;
    expect(agreement(cropPicture(picture, crop, 64), cropMask(large, picture, crop, 64, 'centre'))).toBeGreaterThan(
      0.96,
    );
  }
  expect(picture.data).toEqual(before);
});

test('a crop is a function of seed, pass and image', () => {
  const size = { width: 500, height: 375 };
  const crops = [0, 1].flatMap((seed) =>
    [0, 1].flatMap((pass) => [0, 1].map((image) => drawCrop({ ...NECO, seed, pass }, image, size))),
  );
  expect(new Set(crops.map((crop) => JSON.stringify(crop))).size).toBe(8);
  expect(drawCrop({ ...NECO, pass: 1 }, 1, size)).toEqual(crops[3]);
});

test.each([
  [400, 400, 0.06],
  [500, 375, 0.14],
  [500, 333, 0.29],
])('of %s x %s pictures the whole or its centre is taken as often as torchvision takes it', (width, height, share) => {
  const centre = Math.min(width, Math.round((height * 4) / 3));
  const tries = 4000;
  const fallen = Array.from({ length: tries }, (_, image) => drawCrop(HUMMINGBIRD, image, { width, height })).filter(
    ({ box }) => box.height === height && box.width === centre,
  );
  // 10 failed tries of areas up to twice the picture; three standard errors, and boxes that are as large by chance
  expect(Math.abs(fallen.length / tries - share)).toBeLessThan(3 * Math.sqrt((share * (1 - share)) / tries) + 0.005);
});

test('half of the jitters of hummingbird are taken each, in one order; neco takes none and flips half', () => {
  const size = { width: 50, height: 40 };
  const crops = Array.from({ length: 2000 }, (_, image) => drawCrop(HUMMINGBIRD, image, size));
  for (const step of ['brightness', 'contrast', 'saturation', 'hue'] as const) {
    const taken = crops.filter(({ jitter }) => jitter?.order.includes(step));
    expect(Math.abs(taken.length / 2000 - 0.5)).toBeLessThan(0.05);
    const most = Math.max(...taken.map(({ jitter }) => Math.abs(jitter![step] - (step === 'hue' ? 0 : 1))));
    expect(most).toBeGreaterThan(0.099);
    expect(most).toBeLessThanOrEqual(0.1);
  }
  expect(crops.some(({ flip }) => flip)).toBe(false);
  const own = Array.from({ length: 2000 }, (_, image) => drawCrop(NECO, image, size));
  expect(own.every(({ jitter }) => jitter === undefined)).toBe(true);
  expect(Math.abs(own.filter(({ flip }) => flip).length / 2000 - 0.5)).toBeLessThan(0.05);
});

test('crops of the linear probe are bicubic, of 0.08 to 1 of the area and sides of 3/4 to 4/3', () => {
  const { picture } = scene(500, 375);
  const draw = { recipe: PAPER_LINEAR.crops, seed: 0, pass: 0 };
  const areas: number[] = [];
  for (let image = 0; image < 200; image++) {
    const { box } = drawCrop(draw, image, picture);
    areas.push((box.width * box.height) / (500 * 375));
    expect(box.width / box.height).toBeGreaterThan(0.73);
    expect(box.width / box.height).toBeLessThan(1.36);
  }
  expect(Math.min(...areas)).toBeLessThan(0.12);
  expect(Math.max(...areas)).toBeGreaterThan(0.85);
  const preparation = { kind: 'random-crop', size: 24, draw } as const;
  const { box, flip } = drawCrop(draw, 7, picture);
  const pixels = new Float32Array(3 * 24 * 24);
  prepare(picture, preparation, pixels, 7);
  const red = resizeBicubic(picture, 24, 24, { box, flip }).data.filter((_, i) => i % 3 === 0);
  expect(Array.from(pixels.subarray(0, 576))).toEqual(
    Array.from(red, (value) => expect.closeTo((value / 255 - 0.485) / 0.229, 5)),
  );
  expect(describePreparation(preparation)).toMatch(/^dinov2-linear crops of 24 x 24 \(seed 0, pass 0\) bicubic, /);
});
