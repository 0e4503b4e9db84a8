import { createRandom, DataError } from '@franca/data';
import { describe, expect, test } from 'vitest';
import type { ImageSet } from './image-set';
import type { StoredMask } from './read-mask';
import { surveyMasks } from './survey-masks';

const SIDE = 8;

/** A set whose masks are these. */
function setOf(
  masks: readonly (StoredMask | Error)[],
  classes: readonly string[],
  more: Partial<ImageSet> = {},
): ImageSet {
  return {
    dataset: 'made',
    split: 'val',
    total: masks.length,
    length: masks.length,
    classes,
    ignore: 255,
    notes: [],
    key: (index) => `p${index}`,
    label: () => -1,
    read: () => Promise.reject(new Error('no picture is read')),
    async mask(index) {
      const mask = masks[index]!;
      if (mask instanceof Error) throw mask;
      return mask;
    },
    version: (index) => `made ${index}`,
    ...more,
  };
}

const maskOf = (values: readonly number[], more: Partial<StoredMask> = {}): StoredMask => ({
  data: Uint16Array.from(values),
  width: SIDE,
  height: values.length / SIDE,
  ...more,
});
const fill = (pick: (pixel: number) => number): StoredMask =>
  maskOf(Array.from({ length: SIDE * SIDE }, (_, i) => pick(i)));
const names = (count: number): string[] => Array.from({ length: count }, (_, c) => `class ${c}`);
const half = fill((i) => (i % SIDE < 4 ? 0 : 1));

describe('generated masks whose classes have any values', () => {
  const random = createRandom({ seed: 1, position: 0, stream: 0 });
  const draws = Array.from({ length: 60 }, () => {
    const classes = 2 + random.below(5);
    const top = [classes, classes + 2, 256, 65_536][random.below(4)]!;
    const values = new Set<number>();
    while (values.size < classes) values.add(random.below(top));
    const images = 1 + random.below(4);
    const labels = Array.from({ length: images }, () =>
      Array.from({ length: SIDE * SIDE }, () => random.below(classes)),
    );
    return { classes, values: [...values].sort((a, b) => a - b), labels };
  });

  test('are read as --mask-values says, to the pixel', async () => {
    for (const { classes, values, labels } of draws) {
      const set = setOf(
        labels.map((label) => maskOf(label.map((c) => values[c]!))),
        names(classes),
      );
      const { masks } = await surveyMasks(set, SIDE, { maskValues: values });
      expect([...masks(labels.map((_, i) => i)).masks]).toEqual(labels.flat());
    }
  });

  test('are without it read rightly, or refused, or noted', async () => {
    const seen = { right: 0, refused: 0 };
    for (const { classes, values, labels } of draws) {
      const set = setOf(
        labels.map((label) => maskOf(label.map((c) => values[c]!))),
        names(classes),
      );
      const survey = await surveyMasks(set, SIDE, {}).catch((error: Error) => error);
      if (survey instanceof Error) {
        expect(survey.message).toContain('--mask-values');
        seen.refused++;
      } else if (survey.set.notes.length === 0) {
        expect([...survey.masks(labels.map((_, i) => i)).masks]).toEqual(labels.flat());
        seen.right++;
      }
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
  });
});

describe('masks that cannot be what they are taken for are refused', () => {
  const of = (pick: (pixel: number) => number) => [fill(pick), fill(pick)];
  test.each([
    [
      '0 and 255',
      of((i) => (i % 3 ? 0 : 255)),
      2,
      /every scored pixel of 2 masks of made val is of class 0 .* 34.4 %, is void; .* --mask-values 0,255$/,
    ],
    [
      'a value of no class',
      of((i) => (i === 9 ? 7 : i % 2)),
      2,
      /mean none of its 2 classes and are not the void one \(255\): 7 \(1.6 % of the pixels, first in p0\)/,
    ],
    ['as many values as classes, others', of((i) => [0, 127, 254][i % 3]!), 3, /perhaps 0,127,254/],
    [
      'half of it void',
      of((i) => (i % 2 ? 255 : i % 4 ? 0 : 1)),
      2,
      /50.0 % of the pixels .* are void .* if it is meant, say so with --void 255/,
    ],
    ['all of it void', of(() => 255), 2, /no pixel of 2 masks .* is of a class/],
    ['one class', of(() => 1), 2, /is of class 1 \(class 1\); .* nothing to tell apart/],
  ])('%s', async (_, masks, classes, message) => {
    await expect(surveyMasks(setOf(masks, names(classes)), SIDE, {})).rejects.toThrow(message);
  });

  test('in gray of several depths', async () => {
    const masks = [
      { ...half, form: '1-bit gray' as const },
      { ...half, form: 'gray' as const },
    ];
    await expect(surveyMasks(setOf(masks, names(2)), SIDE, {})).rejects.toThrow(
      /several depths \(1-bit gray 1, gray 1\)/,
    );
  });

  test('turned against their pictures', async () => {
    const lying = maskOf(
      Array.from({ length: 32 }, (_, i) => i % 2),
      { picture: { width: 40, height: 80 } },
    );
    await expect(surveyMasks(setOf([lying], names(2)), SIDE, {})).rejects.toThrow(
      /turned by a quarter only: p0 \(picture 40 x 80, mask 8 x 4\)/,
    );
  });
});

test('void pixels are meant where --void says so, and are not scored', async () => {
  const masks = [fill((i) => (i % 2 ? 9 : i % 4 ? 0 : 1))];
  const survey = await surveyMasks(setOf(masks, names(2)), SIDE, { void: 9 });
  expect([survey.set.ignore, ...survey.masks([0]).masks.subarray(0, 3)]).toEqual([255, 1, 255, 0]);
  expect(survey.set.notes).toEqual(['value 9 of masks is not scored (--void)']);
  // --void takes the place of 255
  await expect(surveyMasks(setOf([fill((i) => [0, 1, 255][i % 3]!)], names(2)), SIDE, { void: 9 })).rejects.toThrow(
    /: 255 \(/,
  );
});

test('a void value that is a class by its number is void', async () => {
  const set = setOf([fill((i) => i % 3)], names(3), { ignore: 0 });
  const { set: read, occurs } = await surveyMasks(set, SIDE, {});
  expect([read.ignore, occurs]).toEqual([0, [false, true, true]]);
  // a class that is never scored is not missed
  expect(read.notes).toEqual([]);
});

test('what is unusual but may be right stands in the notes', async () => {
  const small = maskOf(
    Array.from({ length: 32 }, (_, i) => i % 2),
    { form: 'gray as RGB', picture: { width: 80, height: 60 } },
  );
  const { set } = await surveyMasks(setOf([small, { ...half, form: 'palette' }], names(3)), SIDE, {});
  expect(set.notes).toEqual([
    expect.stringMatching(/^1 of 3 classes occur in no scored pixel of made val: class 2;/),
    'masks of made val are stored in several forms: gray as RGB 1, palette 1',
    expect.stringMatching(/stored as RGB/),
    expect.stringMatching(/^1 of 2 masks of made val have other proportions .* p0 \(picture 80 x 60, mask 8 x 4\)/),
  ]);
});

describe('masks that cannot be read', () => {
  const bad = new DataError('corrupt-image', 'p3.png cannot be decoded');
  test('leave with their pictures, counted and named', async () => {
    const masks = Array.from({ length: 10 }, (_, i) => (i === 3 ? bad : fill((pixel) => Number(pixel === i))));
    const { set, masks: read } = await surveyMasks(setOf(masks, names(2)), SIDE, {});
    expect([set.length, set.total, set.key(3), set.key(8)]).toEqual([9, 10, 'p4', 'p9']);
    expect(read([3]).masks.indexOf(1)).toBe(4);
    expect(set.notes).toEqual(['1 of 10 masks of made val cannot be used and are left out: p3.png cannot be decoded']);
    expect([set.version(2), set.version(3)]).toEqual(['made 2', 'made 4']);
  });

  test('are refused above a tenth', async () => {
    const masks = Array.from({ length: 10 }, (_, i) => (i < 2 ? bad : half));
    await expect(surveyMasks(setOf(masks, names(2)), SIDE, {})).rejects.toThrow(/^2 of 10 pictures .* more than 10 %/);
  });

  test('for a passing reason end the work', async () => {
    await expect(surveyMasks(setOf([half, new Error('EMFILE')], names(2)), SIDE, {})).rejects.toThrow('EMFILE');
  });

  test('because they are not there are found before one is read', async () => {
    const set = setOf([new Error('read')], names(2), { unmasked: { named: ['a.jpg (no a.png)'], of: 2 } });
    await expect(surveyMasks(set, SIDE, {})).rejects.toThrow(
      /^1 of 2 pictures of made val have no usable mask.*a.jpg \(no a.png\)/,
    );
  });
});

test.each([
  [{ maskValues: [0] }, /has 1 values, made has 2 classes \(class 0, class 1\)/],
  [{ maskValues: [3, 3] }, /has 3 twice/],
  [{ maskValues: [0, 65_536] }, /65536 is no value of a mask/],
  [{ maskValues: [0, 255], void: 255 }, /--void 255 is one of --mask-values/],
])('%o does not fit', async (options, message) => {
  await expect(surveyMasks(setOf([half], names(2)), SIDE, options)).rejects.toThrow(message);
});
