import type { Outcome } from '@franca/evals';
import { expect, test } from 'vitest';
import { createLeftOutImages } from '../features/left-out-images';
import type { ImageSet } from '../image-sets/image-set';
import { hashNames, imageHasher } from './evaluated-images';

function setOf(labels: readonly number[], changes: Partial<ImageSet> = {}): ImageSet {
  return {
    ...{ dataset: 'photos', split: 'val', total: labels.length, length: labels.length, classes: ['cat', 'dog'] },
    ...{
      ignore: undefined,
      notes: [],
      key: (index: number) => `${index}.jpg`,
      label: (index: number) => labels[index]!,
    },
    read: () => Promise.reject(new Error('not read')),
    version: String,
    ...changes,
  };
}

const hits = { kind: 'hits', items: 2, data: 'AA==' } as const;
const outcome = (changes: object = {}) => ({ items: hits, hyper: {}, ...changes }) as Outcome;
const hashOf = (set: ImageSet, others: ImageSet[] = [], leftOut = createLeftOutImages(1), of: Outcome = outcome()) =>
  imageHasher(set, others, leftOut)(of).items?.of;

test('the same images with the same classes have one hash, whatever else the set says', () => {
  const set = setOf([0, 1, 0]);
  expect(hashOf(set)).toMatch(/^[0-9a-f]{64}$/);
  expect(hashOf({ ...setOf([0, 1, 0]), notes: ['a note'], dataset: 'other' })).toBe(hashOf(set));
});

test('another image, order, class or one that could not be read is another hash', () => {
  const set = setOf([0, 1, 0]);
  const leftOut = createLeftOutImages(1);
  leftOut.add(set, 1);
  const others = [
    hashOf(setOf([0, 1, 1])),
    hashOf(setOf([0, 1])),
    hashOf({ ...set, classes: ['dog', 'cat'] }),
    hashOf({ ...set, key: (index) => `${2 - index}.jpg` }),
    // a copy with notes of its own is the same part
    hashOf({ ...set, notes: ['more'] }, [], leftOut),
  ];
  expect(new Set([hashOf(set), ...others]).size).toBe(6);
});

test('foreign images count where scores compare with them: those of the set that is named', () => {
  const [set, ninco, dtd] = [setOf([0, 1]), setOf([-1], { dataset: 'ninco' }), setOf([-1, -1], { dataset: 'dtd' })];
  const scores = (outside: string) => outcome({ items: { ...hits, kind: 'scores', inside: 1 }, hyper: { outside } });
  const against = (outside: string, others: ImageSet[]) => hashOf(set, others, undefined, scores(outside));
  expect(against('ninco', [ninco, dtd])).toBe(against('ninco', [ninco]));
  expect(against('dtd', [ninco, dtd])).not.toBe(against('ninco', [ninco, dtd]));
  expect(hashOf(set, [ninco])).toBe(hashOf(set));
});

test('an evaluation without items has none, and one that knows its items keeps their hash', () => {
  expect(hashOf(setOf([0]), [], undefined, outcome({ items: undefined }))).toBeUndefined();
  const of = hashNames(['a', 'b']);
  expect(hashOf(setOf([0]), [], undefined, outcome({ items: { ...hits, of } }))).toBe(of);
});
