import { type Outcome, scoreCounts } from '@franca/evals';
import { expect, test } from 'vitest';
import type { ImageSet } from '../image-sets/image-set';
import { type ScoringOptions, scoringOf, withOtherMean } from './segmentation-scoring';

const unread = (): never => {
  throw new Error('nothing is read here');
};
/** As ADE20K: the first of four classes is not scored. */
const set: ImageSet = {
  dataset: 'ade20k',
  split: 'validation',
  total: 0,
  length: 0,
  classes: ['unlabelled', 'wall', 'sky', 'tree'],
  ignore: 0,
  notes: [],
  key: unread,
  label: unread,
  read: unread,
  version: unread,
};
const OUTCOME: Outcome = {
  task: 'in-context-segmentation',
  protocol: 'hummingbird',
  variant: '',
  evaluated: 1,
  total: 1,
  metric: 'mIoU',
  value: 0.5,
  unit: 'share',
  others: {},
  perClass: [],
  hyper: {},
  selectedOn: 'nothing',
  seeds: [],
  quirks: false,
  wallMs: 0,
};
/** Predictions in rows: one pixel of "tree" is taken for "unlabelled". */
const COUNTS = Float64Array.of(0, 0, 0, 1, 0, 8, 2, 0, 0, 0, 5, 0, 0, 0, 0, 3);
const [WALL, SKY, TREE] = [8 / 10, 5 / 7, 3 / 4];

function score(options: ScoringOptions): Outcome {
  const scoring = scoringOf(set, options);
  const hyper = { averageOver: scoring.averageOver ? 'all that are scored' : 'all' };
  return withOtherMean(set, options, [{ ...OUTCOME, value: scoreCounts(COUNTS, scoring).miou, hyper }])[0]!;
}

test('ADE20K is scored over its classes, the published mean stands beside it, and the other way round', () => {
  const [over3, over4] = [(WALL + SKY + TREE) / 3, (WALL + SKY + TREE) / 4];
  const own = score({});
  expect(own.value).toBeCloseTo(over3, 12);
  expect(own.others['mIoU over 4 classes']).toBeCloseTo(over4, 12);
  const published = score({ unscored: 'zero' });
  expect(published.value).toBeCloseTo(over4, 12);
  expect(published.others['mIoU over 3 classes']).toBeCloseTo(over3, 12);
});

test('classes that were chosen, and sets whose classes are all scored, have one mean', () => {
  expect(scoringOf(set, { classes: [1, 0] }).averageOver).toEqual([1, 0]);
  expect(withOtherMean(set, { classes: [1, 0] }, [OUTCOME])[0]!.others).toEqual({});
  const voc = { ...set, ignore: 255 };
  expect(scoringOf(voc, {}).averageOver).toBeUndefined();
  expect(withOtherMean(voc, {}, [OUTCOME])[0]!.others).toEqual({});
});
