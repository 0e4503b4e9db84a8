import { describe, expect, it } from 'vitest';
import { checkParity, type ParityFile, parityFile } from '../../../../test/support/parity';
import type { PixelImage } from '../images/image';
import { createRandom } from '../random';
import { type Box, resizeBicubic } from './bicubic';
import { adjustBrightness, adjustContrast, adjustSaturation, colorJitter, type JitterStep } from './color-jitter';
import { gaussianBlur } from './gaussian-blur';
import { grayscale } from './grayscale';
import { rotateHue } from './hue';
import { FRANCA_MULTI_CROP, multiCropRecipes } from './multi-crop';
import { normalisationTable, normalise } from './normalise';
import { pilGaussianBlur } from './pil-gaussian-blur';
import { resizeAndCrop } from './preprocess';
import { randomResizedCrop } from './random-resized-crop';
import { renderView } from './render-view';
import { solarize } from './solarize';
import { drawView } from './view-params';

// Bytes are reproduced exactly wherever PIL computes in integers or in rounded single precision steps.
const EXACT = {};
// Two one-dimensional blur passes sum in another order than torch's convolution: a byte may differ by one at a tie.
const ONE_LEVEL = { absolute: 1 };
// Two single-precision divisions and one subtraction.
const NORMALISED = { absolute: 1e-6 };

const geometry = parityFile('augment_geometry');
const color = parityFile('augment_color');

function image(file: ParityFile, tensor: string): PixelImage {
  const [height, width] = file.shape(tensor) as [number, number];
  return { width, height, channels: 3, data: file.bytes(tensor) };
}
const photo = image(parityFile('augment_input'), 'rgb');
const base = image(color, 'base');
const { mean, std } = geometry.config;
const table = normalisationTable({ mean, std });

describe('geometry', () => {
  type Case = Box & { key: string; size: number };
  const cases: Case[] = geometry.config.cases;
  const view = ({ top, left, width, height, size }: Case, flip: boolean): Uint8Array =>
    renderView(photo, {
      size,
      box: { top, left, width, height },
      flip,
      jitter: null,
      grayscale: false,
      blurSigma: null,
      solarize: null,
    }).data;

  it.each(cases)('$key: crop $width x $height to $size is what PIL gives', (crop) => {
    checkParity(geometry, crop.key, view(crop, false), geometry.bytes(crop.key), EXACT);
  });

  it('reads images of four bytes a pixel just the same', () => {
    const padded = new Uint8Array(photo.width * photo.height * 4).fill(77);
    for (let i = 0; i < photo.width * photo.height; i++) padded.set(photo.data.subarray(i * 3, i * 3 + 3), i * 4);
    const crop = cases[0]!;
    const { data: got } = resizeBicubic({ ...photo, channels: 4, data: padded }, crop.size, crop.size, { box: crop });
    expect(got).toEqual(geometry.bytes(crop.key));
  });

  it.each(geometry.names.filter((name) => name.startsWith('hflip.of.')))('%s', (name) => {
    const crop = cases.find(({ key }) => name === `hflip.of.${key}`)!;
    checkParity(geometry, name, view(crop, true), geometry.bytes(name), EXACT);
  });

  it.each(geometry.names.filter((name) => name.startsWith('normalized.of.')))('%s', (name) => {
    const pixels = geometry.bytes(name.slice('normalized.of.'.length));
    const output = normalise(pixels, table, new Float32Array(pixels.length));
    checkParity(geometry, name, output, geometry.floats(name), NORMALISED);
  });

  it.each(geometry.names.filter((name) => name.startsWith('eval.')))('%s', (name) => {
    const [resize, crop] = name.match(/\d+/g)!.map(Number) as [number, number];
    checkParity(geometry, name, resizeAndCrop(photo, { resize, crop }).data, geometry.bytes(name), EXACT);
  });

  it.each(Object.keys(geometry.config.random_resized_crop))(
    '%s crops are distributed as torchvision draws them',
    (name) => {
      const reference = geometry.config.random_resized_crop[name];
      const random = createRandom({ seed: 20, position: 0, stream: 0 });
      const draws = 20_000;
      const boxes = Array.from({ length: draws }, () =>
        randomResizedCrop(photo.width, photo.height, reference.scale, [3 / 4, 4 / 3], random),
      );
      const areas = boxes.map(({ width, height }) => (width * height) / (photo.width * photo.height));
      const ratios = boxes.map(({ width, height }) => width / height);
      // Means: 5 standard errors of the difference, the reference having drawn 4,000 boxes. Quantiles: the widest standard
      // error, that of the smallest local areas, is 1.5 %.
      const meanOf = (what: string, values: number[], expected: number): void => {
        const mean = average(values);
        const variance = average(values.map((value) => (value - mean) ** 2));
        const tolerance = 5 * Math.sqrt(variance * (1 / 4000 + 1 / draws));
        checkParity(geometry, `${name} ${what}`, [mean], [expected], { absolute: tolerance });
      };
      meanOf('area', areas, reference.area_mean);
      meanOf(
        'top',
        boxes.map(({ top }) => top),
        reference.top_mean,
      );
      meanOf(
        'left',
        boxes.map(({ left }) => left),
        reference.left_mean,
      );
      const quantiles = (values: number[]): number[] => [0.05, 0.5, 0.95].map((share) => quantile(values, share));
      const allowed = { relative: 0.075 };
      checkParity(geometry, `${name} areas`, quantiles(areas), reference.area_quantiles_5_50_95, allowed);
      checkParity(geometry, `${name} ratios`, quantiles(ratios), reference.ratio_w_over_h_quantiles_5_50_95, allowed);
    },
  );
});

describe('colour', () => {
  interface Operation {
    key: string;
    op: string;
    factor: number;
    threshold: number;
    kernel: number;
    sigma: number;
    radius: number;
    order: string;
    step: number;
    factors: { b: number; c: number; s: number; h: number };
  }
  const NAMES: Record<string, JitterStep> = { b: 'brightness', c: 'contrast', s: 'saturation', h: 'hue' };
  const square = base.width;

  const inPlace = (change: (pixels: Uint8Array) => void): Uint8Array => {
    const pixels = base.data.slice();
    change(pixels);
    return pixels;
  };
  const operations: Record<string, (operation: Operation) => Uint8Array> = {
    brightness: ({ factor }) => inPlace((pixels) => adjustBrightness(pixels, factor)),
    contrast: ({ factor }) => inPlace((pixels) => adjustContrast(pixels, factor)),
    saturation: ({ factor }) => inPlace((pixels) => adjustSaturation(pixels, factor)),
    hue: ({ factor }) => inPlace((pixels) => rotateHue(pixels, factor)),
    grayscale: () => inPlace(grayscale),
    solarize: ({ threshold }) => inPlace((pixels) => solarize(pixels, threshold)),
    'jitter chain': ({ order, step, factors: { b, c, s, h } }) => {
      const steps = [...order].slice(0, step + 1).map((letter) => NAMES[letter]!);
      return inPlace((pixels) =>
        colorJitter(pixels, { order: steps, brightness: b, contrast: c, saturation: s, hue: h }),
      );
    },
    'torchvision gaussian_blur': ({ sigma, kernel }) =>
      gaussianBlur(base.data, square, square, sigma, (kernel - 1) / 2),
    'PIL GaussianBlur': ({ radius }) => pilGaussianBlur(base.data, square, square, radius),
  };

  const all: Operation[] = color.config.ops;
  const single = all.filter(({ op }) => op in operations);

  it.each(single)('$key', (operation) => {
    const tolerance = operation.key.startsWith('blur_tv') ? ONE_LEVEL : EXACT;
    checkParity(color, operation.key, operations[operation.op]!(operation), color.bytes(operation.key), tolerance);
  });

  it.each(all.filter(({ op }) => !(op in operations)))('$key: $op, then normalised', ({ key, op }) => {
    const value = (name: string): number => Number(op.match(new RegExp(`${name} ([\\d.]+)`))![1]);
    const jittered = inPlace((pixels) => {
      adjustContrast(pixels, value('contrast'));
      adjustSaturation(pixels, value('saturation'));
    });
    const pixels = gaussianBlur(jittered, square, square, value('blur_tv'));
    solarize(pixels, value('solarize'));
    checkParity(color, key, pixels, color.bytes(key), ONE_LEVEL);
    const normalized = normalise(color.bytes(key), table, new Float32Array(pixels.length));
    checkParity(color, 'pipeline.normalized', normalized, color.floats('pipeline.normalized'), NORMALISED);
  });

  it('leaves no stored result unchecked', () => {
    const checked = [...all.map(({ key }) => key), 'base', 'pipeline.normalized'];
    expect(color.names.filter((name) => !checked.includes(name))).toEqual([]);
  });

  it('blurs as often as the official code was measured to', () => {
    const measured = Object.values(color.config.official_blur_rate_per_view as Record<string, number>);
    const recipes = multiCropRecipes(FRANCA_MULTI_CROP);
    measured.forEach((rate, index) => {
      const draws = 4000;
      let blurred = 0;
      for (let position = 0; position < draws; position++) {
        const random = createRandom({ seed: 5, position, stream: index });
        if (drawView(recipes[index]!, photo.width, photo.height, random).blurSigma !== null) blurred++;
      }
      // Two samples of at least 2,000 with p near 1/2: 5 standard errors of the difference are below 0.07.
      expect(Math.abs(blurred / draws - rate)).toBeLessThan(0.07);
    });
  });
});

const average = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function quantile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * values.length)]!;
}
