import { expect, test } from 'vitest';
import { depthOfView, depthPicture, viewBox } from './depth-view';

const [WIDTH, HEIGHT] = [64, 48];
/** A picture whose red says the column and green the row, with a depth that says both. */
const picture = {
  width: WIDTH,
  height: HEIGHT,
  channels: 3 as const,
  data: Uint8Array.from({ length: 3 * WIDTH * HEIGHT }, (_, i) => {
    const at = Math.floor(i / 3);
    return [4 * (at % WIDTH), 5 * Math.floor(at / WIDTH), 0][i % 3]!;
  }),
};
const map = {
  width: WIDTH,
  height: HEIGHT,
  data: Float32Array.from({ length: WIDTH * HEIGHT }, (_, at) => (at % WIDTH) + Math.floor(at / WIDTH) / 64),
};

test("the middle square of NYU's frames lacks 80 columns on each side", () => {
  expect(viewBox({ crop: 'square' }, { width: 640, height: 480 })).toEqual({
    left: 80,
    top: 0,
    width: 480,
    height: 480,
  });
  expect(viewBox({ crop: 'none' }, { width: 640, height: 480 })).toEqual({ left: 0, top: 0, width: 640, height: 480 });
  const { width, height, data } = depthPicture(picture, { crop: 'square' }, 0);
  expect([width, height, data[0], data.at(-3)]).toEqual([48, 48, 4 * 8, 4 * 55]);
  expect(depthOfView(map, { crop: 'square' }, 0, [48, 48])[0]).toBe(8);
});

test('a draw cuts picture and depth alike, is the same each time, and half of the pictures are cut', () => {
  let cut = 0;
  for (let image = 0; image < 40; image++) {
    const view = { crop: 'square' as const, draw: { seed: 0, pass: 1 } };
    const seen = depthPicture(picture, view, image);
    expect(depthPicture(picture, view, image).data).toEqual(seen.data);
    const depth = depthOfView(map, view, image, [48, 48]);
    const whole = depthOfView(map, { crop: 'square' }, image, [48, 48]);
    if (depth.some((value, i) => value !== whole[i])) cut++;
    const [first, last] = [depth[0]!, depth.at(-1)!].map(Math.floor) as [number, number];
    // a square of half to all of the area
    expect(last - first + 1).toBeGreaterThanOrEqual(Math.floor(48 * Math.SQRT1_2) - 1);
    expect(depth.every((value) => value >= 8 && value < 56)).toBe(true);
  }
  expect(cut).toBeGreaterThan(10);
  expect(cut).toBeLessThan(30);
});

test('where colours are not jittered a pixel of the picture and its depth name one place', () => {
  for (let image = 0, plain = 0; plain < 4; image++) {
    const view = { crop: 'square' as const, draw: { seed: 3, pass: 0 } };
    const { data } = depthPicture(picture, view, image);
    if (data.some((value, i) => i % 3 === 2 && value !== 0) || data.some((value, i) => i % 3 === 0 && value % 4 !== 0))
      continue;
    plain++;
    const depth = depthOfView(map, view, image, [48, 48]);
    for (let i = 0; i < depth.length; i++) {
      expect(data[3 * i]).toBe(4 * Math.floor(depth[i]!));
      expect(data[3 * i + 1]).toBe(5 * Math.round((depth[i]! % 1) * 64));
    }
  }
});

test('depth of half the size of its picture is cut alike', () => {
  const half = { width: 32, height: 24, data: Float32Array.from({ length: 32 * 24 }, (_, at) => 2 * (at % 32)) };
  for (let image = 0; image < 20; image++) {
    const view = { crop: 'square' as const, draw: { seed: 0, pass: 0 } };
    const fine = depthOfView(map, view, image, [48, 48]);
    const coarse = depthOfView(half, view, image, [48, 48]);
    for (let i = 0; i < fine.length; i++) expect(Math.abs(Math.floor(fine[i]!) - coarse[i]!)).toBeLessThanOrEqual(4);
  }
});
