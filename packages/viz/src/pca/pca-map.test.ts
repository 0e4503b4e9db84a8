import { expect, test } from 'vitest';
import { type PatchFeatures, type PcaMap, pcaMaps, renderPcaMap } from './pca-map';

/**
 * A 6 x 6 picture with a 2 x 4 object in the middle: the object stands apart along one direction (+-5), its left and
 * right halves along a second, its upper and lower row along a third; the background varies a little along a fourth.
 */
function scene(objectSign = 1): PatchFeatures {
  const patches = new Float32Array(6 * 6 * 5);
  for (let p = 0; p < 36; p++) {
    const [y, x] = [Math.floor(p / 6), p % 6];
    const own = isObject(p)
      ? [5 * objectSign, x < 3 ? 2 : -2, y < 3 ? 1 : -1, 0, 0.5]
      : [-5 * objectSign, 0, 0, (x - 2.5) / 10, 0];
    patches.set(own, p * 5);
  }
  return { patches, grid: [6, 6], dim: 5 };
}

function isObject(p: number): boolean {
  const [y, x] = [Math.floor(p / 6), p % 6];
  return (y === 2 || y === 3) && x >= 1 && x <= 4;
}

const objectMask = Array.from({ length: 36 }, (_, p) => (isObject(p) ? 1 : 0));

test.each(['paper', 'jul25'] as const)(
  '%s keeps the object in the middle, whatever the sign of its direction',
  (recipe) => {
    for (const sign of [1, -1]) {
      const { maps } = pcaMaps([scene(sign)], { recipe });
      expect([...maps[0]!.foreground]).toEqual(objectMask);
    }
  },
);

test('the second PCA sees the foreground only: its axes are the parts of the object', () => {
  const { maps, explained } = pcaMaps([scene()]);
  const colour = (y: number, x: number) => [...maps[0]!.colours.subarray((y * 6 + x) * 3, (y * 6 + x) * 3 + 3)];
  // Left and right are red 1 and 0 or the other way round, upper and lower green; nothing else varies: blue is 0.5.
  const corners = [colour(2, 1), colour(2, 4), colour(3, 1), colour(3, 4)];
  expect(corners.map(([, , blue]) => blue)).toEqual([0.5, 0.5, 0.5, 0.5]);
  expect(corners[0]![0]).toBe(1 - corners[1]![0]!);
  expect(corners[0]![1]).toBe(1 - corners[2]![1]!);
  // Variances 4 and 1 of 8 points: 80 % and 20 %.
  expect(explained).toEqual([expect.closeTo(0.8, 6), expect.closeTo(0.2, 6), 0]);
});

test('mid colours every patch', () => {
  const { maps } = pcaMaps([scene()], { recipe: 'mid' });
  expect(maps[0]!.foreground.every((value) => value === 1)).toBe(true);
});

test('the 0.35 of jul25 is a share of the range of the first score', () => {
  // Along a single direction the scores are the heights; the border stands high, so that low is foreground.
  const heights = [1, 1, 1, 1, 1, 1, 1, 0, 0.34, 0.36, 0.7, 1, 1, 1, 1, 1, 1, 1];
  const patches = Float32Array.from(heights.flatMap((height) => [10 * height, 0, 0]));
  const { maps } = pcaMaps({ patches, grid: [3, 6], dim: 3 }, { recipe: 'jul25' });
  expect([...maps[0]!.foreground]).toEqual(heights.map((height) => (height <= 0.35 ? 1 : 0)));
});

/** A batch of two pictures. */
function two(): PatchFeatures {
  const patches = new Float32Array(2 * 180);
  patches.set(scene().patches);
  patches.set(scene().patches, 180);
  return { ...scene(), patches };
}

test('a batch is its pictures one after the other', () => {
  expect(pcaMaps(two())).toEqual(pcaMaps([scene(), scene()]));
  expect(pcaMaps(two()).maps).toHaveLength(2);
});

test('pictures passed together share their colours, and need not share a size', () => {
  const small: PatchFeatures = { ...scene(), grid: [4, 6], patches: scene().patches.slice(6 * 5, 5 * 6 * 5) };
  const { maps } = pcaMaps([scene(), small]);
  expect(maps.map(({ grid }) => grid)).toEqual([
    [6, 6],
    [4, 6],
  ]);
  expect([...maps[1]!.colours]).toEqual([...maps[0]!.colours.slice(6 * 3, 30 * 3)]);
});

test('a given foreground replaces the rule', () => {
  const own = objectMask.map((value, p) => (p === 0 ? 1 : value));
  const { maps } = pcaMaps([scene()], { recipe: 'dinov3', foreground: [own] });
  expect([...maps[0]!.foreground]).toEqual(own);
});

test('components fitted on some of the patches colour all of them', () => {
  const twice: PatchFeatures = { ...two(), grid: [12, 6] };
  const all = pcaMaps([twice], { recipe: 'capi' }).maps[0]!;
  const half = pcaMaps([twice], { recipe: 'capi', fitRows: 36 }).maps[0]!;
  expect(half.colours.length).toBe(all.colours.length);
  expect([...half.colours.slice(0, 108)]).toEqual([...half.colours.slice(108)]);
  expect(pcaMaps([twice], { recipe: 'capi', fitRows: 72 })).toEqual(pcaMaps([twice], { recipe: 'capi' }));
  expect(() => pcaMaps([twice], { fitRows: 0 })).toThrow(/patches to fit on is 0/);
});

test('features that are all equal (a collapsed network) give one colour, not an error', () => {
  const flat = { ...scene(), patches: new Float32Array(180).fill(1) };
  const { maps, explained } = pcaMaps([flat], { recipe: 'mid' });
  expect([...new Set(maps[0]!.colours)]).toEqual([0.5]);
  expect(explained).toEqual([0, 0, 0]);
  expect(pcaMaps([flat]).maps[0]!.foreground.some(Boolean)).toBe(false);
});

test('rendering enlarges colours, cuts the foreground at patch borders and paints the rest', () => {
  const map: PcaMap = {
    grid: [1, 2],
    colours: Float32Array.of(1, 0, 0, 0, 1, 0),
    foreground: Uint8Array.of(1, 0),
  };
  const nearest = renderPcaMap(map, { width: 4, height: 1, background: [9, 9, 9] });
  expect([...nearest.data]).toEqual([255, 0, 0, 255, 0, 0, 9, 9, 9, 9, 9, 9]);
  const bilinear = renderPcaMap(map, { width: 4, height: 1, resampling: 'bilinear' });
  expect([...bilinear.data]).toEqual([255, 0, 0, 191, 64, 0, 0, 0, 0, 0, 0, 0]);
});

test('refuses pictures that do not fit together', () => {
  expect(() => pcaMaps([])).toThrow(/no picture/);
  expect(() => pcaMaps({ ...scene(), grid: [6, 5] })).toThrow(/features of batch 0 has 180 values.*needs 150/);
  const narrow: PatchFeatures = { patches: new Float32Array(16), grid: [2, 2], dim: 4 };
  expect(() => pcaMaps([scene(), narrow])).toThrow(/picture 1 has 4-dimensional.*picture 0 has 5/);
  expect(() => pcaMaps({ patches: Float32Array.of(1, 2), grid: [1, 1], dim: 2 })).toThrow(/at least 3/);
  expect(() => pcaMaps([scene()], { foreground: [] })).toThrow(/0 foreground masks for 1 pictures/);
});
