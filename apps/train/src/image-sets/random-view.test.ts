import type { PixelImage } from '@franca/data';
import { expect, test } from 'vitest';
import { drawRandomView, type RandomView, randomView, renderRandomView } from './random-view';

/** 4 x 4 pixels whose red is their number. */
const picture: PixelImage = {
  width: 4,
  height: 4,
  channels: 3,
  data: Uint8Array.from({ length: 48 }, (_, i) => (i % 3 === 0 ? 10 + i / 3 : 0)),
};
const plain: RandomView = {
  size: 4,
  box: { left: 0, top: 0, width: 4, height: 4 },
  flip: false,
  jitter: null,
  grayscale: false,
  blurSigma: null,
  solarize: null,
  upsideDown: false,
  rotation: undefined,
};
const reds = (view: Partial<RandomView>) => {
  const { data } = renderRandomView(picture, { ...plain, ...view });
  return Array.from({ length: 4 }, (_, y) => Array.from({ length: 4 }, (_, x) => data[3 * (4 * y + x)]));
};
const [top, second, third, bottom] = reds({}) as [number[], number[], number[], number[]];

test('a view is mirrored left to right and top to bottom', () => {
  expect(reds({ flip: true })[0]).toEqual(top.toReversed());
  expect(reds({ upsideDown: true })).toEqual([bottom, third, second, top]);
});

test('a quarter turn counter-clockwise puts the last column on top; an eighth leaves black corners', () => {
  expect(reds({ rotation: 90 })[0]).toEqual([top[3], second[3], third[3], bottom[3]]);
  expect(reds({ rotation: -90 })[0]).toEqual([bottom[0], third[0], second[0], top[0]]);
  const turned = reds({ rotation: 45 });
  expect([turned[0]![0], turned[3]![3]]).toEqual([0, 0]);
  expect(turned[1]![1]).toBeGreaterThan(0);
});

test('a view is that of its seed, pass and image', () => {
  const view = (seed: number, pass: number, image: number) =>
    [...randomView(picture, { seed, pass }, image, 8).data].join();
  const first = view(0, 0, 0);
  expect(view(0, 0, 0)).toBe(first);
  for (const other of [view(1, 0, 0), view(0, 1, 0), view(0, 0, 1)]) expect(other).not.toBe(first);
});

test('draws follow the published distribution', () => {
  const drawn = Array.from({ length: 4000 }, (_, image) =>
    drawRandomView({ seed: 0, pass: 3 }, image, { width: 100, height: 100 }, 28),
  );
  const share = (holds: (view: RandomView) => boolean) => drawn.filter(holds).length / drawn.length;
  // standard deviations of 4000 draws are below 0.008
  expect(share(({ flip }) => flip)).toBeCloseTo(0.5, 1);
  expect(share(({ upsideDown }) => upsideDown)).toBeCloseTo(0.5, 1);
  expect(share(({ rotation }) => rotation !== undefined)).toBeCloseTo(0.5, 1);
  expect(share(({ jitter }) => jitter !== null)).toBeCloseTo(0.8, 1);
  expect(share(({ grayscale }) => grayscale)).toBeCloseTo(0.2, 1);
  expect(share(({ blurSigma }) => blurSigma !== null)).toBeCloseTo(0.5, 1);
  const turned = drawn.flatMap(({ rotation = [] }) => rotation);
  expect(turned.every((angle) => Math.abs(angle) <= 90) && turned.some((angle) => angle < -60)).toBe(true);
  expect(drawn.every(({ box }) => (box.width * box.height) / 10_000 > 0.24)).toBe(true);
});
