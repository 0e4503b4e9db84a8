import { IMAGENET_NORMALISATION, normalisationTable, type PixelImage } from '@franca/data';
import { expect, test } from 'vitest';
import { describePreparation, inputSides, type Preparation, prepare } from './preparation';

/** 6 x 3 pixels of different colours. */
const wide: PixelImage = {
  width: 6,
  height: 3,
  channels: 3,
  data: Uint8Array.from({ length: 54 }, (_, i) => (37 * i) % 251),
};
const table = normalisationTable(IMAGENET_NORMALISATION);
const prepared = (image: PixelImage, preparation: Preparation): Float32Array => {
  const [rows, columns] = inputSides(preparation);
  const output = new Float32Array(3 * rows * columns).fill(9);
  prepare(image, preparation, output);
  return output;
};

test('a picture is padded right and below with white to a square before it is resized', () => {
  const square = { ...wide, height: 6, data: new Uint8Array(108).fill(255) };
  square.data.set(wide.data);
  const expected = prepared(square, { kind: 'squash', size: 4 });
  expect(prepared(wide, { kind: 'pad-square', size: 4, side: 4 })).toEqual(expected);
  // turned: the padding is on the right
  const turn = (image: PixelImage): PixelImage => {
    const data = new Uint8Array(image.data.length);
    for (let y = 0; y < image.height; y++)
      for (let x = 0; x < image.width; x++)
        data.set(
          image.data.subarray(3 * (y * image.width + x), 3 * (y * image.width + x + 1)),
          3 * (x * image.height + y),
        );
    return { ...image, width: image.height, height: image.width, data };
  };
  const tall = prepared(turn(wide), { kind: 'pad-square', size: 6, side: 6 });
  expect(tall).toEqual(prepared(turn(square), { kind: 'squash', size: 6 }));
  expect(tall[5]).toBe(table[255]);
});

test('what a square leaves of the input is zeros around it, the smaller half first', () => {
  const preparation = { kind: 'pad-square', size: 7, side: 4 } as const;
  const output = prepared(wide, preparation);
  const inner = prepared(wide, { ...preparation, size: 4 });
  for (let channel = 0; channel < 3; channel++)
    for (let y = 0; y < 7; y++)
      for (let x = 0; x < 7; x++) {
        const inside = x >= 1 && x < 5 && y >= 1 && y < 5;
        expect(output[(channel * 7 + y) * 7 + x]).toBe(inside ? inner[(channel * 4 + y - 1) * 4 + x - 1] : 0);
      }
});

test('records tell the square, and the margin where there is one', () => {
  expect(describePreparation({ kind: 'pad-square', size: 224, side: 224 })).toBe(
    'padded right and below with 255 to a square, 224 x 224 bicubic, ImageNet mean/std',
  );
  expect(describePreparation({ kind: 'pad-square', size: 812, side: 800 })).toMatch(
    /800 x 800 .* zeros around to 812 x 812$/,
  );
});
