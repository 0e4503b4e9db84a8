/** Of every evaluation that keeps results of items: they make the value that it reports. */
import { expect, test } from 'vitest';
import { blobs, gaussian, scenes } from '../../test/support';
import { correspondence, type MatchedPair } from '../correspondence/correspondence';
import { type WarpTally, warpCorrespondence } from '../correspondence/warp-correspondence';
import { discoveryOutcome } from '../discovery/discovery-outcome';
import { inContextSegmentation } from '../in-context/in-context';
import { knnFewShot } from '../knn/few-shot';
import { knn } from '../knn/knn';
import { linearProbe } from '../linear-probe/linear-probe';
import { scoreProbe } from '../linear-probe/score-probe';
import { linearSegmentation } from '../linear-segmentation/linear-segmentation';
import { logisticRegression } from '../logistic-regression/logistic-regression';
import { corLoc } from '../metrics/corloc';
import { oodDetection } from '../ood/ood-detection';
import type { Outcome } from '../outcome';
import { overclustering } from '../overclustering/overclustering';
import { truncationCurve } from '../truncation-curve/truncation-curve';
import { itemsValue } from './paired-difference';

/** f32 of each item, and another order of summation. */
const TOLERANCE = 1e-6;

function checkItems(outcome: Outcome, items = outcome.evaluated): void {
  expect(outcome.items, outcome.task).toMatchObject({ items });
  expect(Math.abs(itemsValue(outcome.items!) - outcome.value), outcome.task).toBeLessThan(TOLERANCE);
  expect(outcome.value, `${outcome.task} says nothing`).not.toBe(1);
}

const blob = { classes: 5, dim: 8, perClass: 12, noise: 2 } as const;
const [train, held] = [blobs({ ...blob, seed: 1 }), blobs({ ...blob, seed: 2 })];
// classes of different sizes, so that the mean over classes is another number
const uneven = { dim: 8, cls: held.cls.subarray(0, 8 * 51), labels: held.labels.subarray(0, 51) };

test('classification: hits, means over tries, means over classes', async () => {
  checkItems((await knn(train, uneven)).outcome);
  checkItems((await knnFewShot(train, uneven, { shots: 2, tries: 3, ks: [3] })).outcome);
  const probe = ({ dim, cls, labels }: typeof train) => ({ dim, blocks: [cls], labels });
  const trained = await linearProbe(probe(train), probe(uneven), {
    learningRates: [0.1],
    select: 'test',
    batchSize: 16,
  });
  checkItems(trained.outcome);
  const accepted = Array.from(uneven.labels, (label, i) => (i % 4 === 0 ? [] : [label, (label + 1) % 5]));
  const score = await scoreProbe(trained.probe, probe(uneven), { accepted });
  expect(score.items.items).toBe(accepted.filter((labels) => labels.length > 0).length);
  expect(itemsValue(score.items)).toBeCloseTo(score.top1, 12);
  for (const metric of ['top-1', 'mean-per-class'] as const)
    checkItems((await logisticRegression(train, uneven, { cs: [0.1], metric })).outcome);
  for (const outcome of (await truncationCurve(train, uneven, { widths: [8, 2], controls: [] })).outcomes)
    checkItems(outcome);
});

test('detection: the order of the confidences of known and foreign images', async () => {
  const outside = { noise: { dim: 8, cls: gaussian(20, 8, 3).data } };
  const { outcomes } = await oodDetection({ train }, { inside: uneven, outside }, { k: 5, vimDim: 2 });
  expect(outcomes.length).toBeGreaterThan(1);
  for (const outcome of outcomes) checkItems(outcome, 71);
});

const scene = { grid: [4, 6], patch: 2, classes: 3, dim: 8, noise: 2 } as const;
const [seen, unseen] = [scenes({ ...scene, images: 6, seed: 1 }), scenes({ ...scene, images: 5, seed: 2 })];
const masks = unseen.masks.map((label, i) => (i % 7 === 0 ? 255 : label));
const scored = { ...unseen, masks };

test.each([{}, { relabel: 'hungarian' }, { absent: 'skip', averageOver: [0, 2] }] as const)(
  'in-context segmentation: counts pooled over images %s',
  async (options) => {
    checkItems((await inContextSegmentation(seen, scored, { classes: 3, k: 3, ...options })).outcome);
  },
);

test('linear segmentation and overclustering: counts, of clusters by the name that all images give them, over all seeds', async () => {
  const options = { classes: 3, size: [8, 12] } as const;
  checkItems((await linearSegmentation(seen, scored, { ...options, epochs: 2, learningRates: [0.1] })).outcome);
  for (const averageOver of [undefined, [1, 2]]) {
    const clustering = { ...options, averageOver, clusters: [2, 3, 9], seeds: [0, 1], restarts: 1 };
    const { outcomes } = await overclustering(scored, clustering);
    for (const outcome of outcomes) checkItems(outcome);
  }
});

test('discovery, correspondence and warps: pictures and pairs, with as much weight as their points have', () => {
  const box = [0, 0, 2, 2] as const;
  const located = [box, [4, 4, 6, 6] as const, box].map((truth) => ({ box, otherBoxes: [], truth: [truth] }));
  const run = { protocol: 'lost', variant: 'v', total: 3, details: [{}, {}, {}], hyper: {}, wallMs: 0 } as const;
  checkItems(discoveryOutcome(corLoc(located), run));

  const matched = (category: number, errors: readonly number[]): MatchedPair => {
    const values = Float64Array.from(errors);
    const sizes = { sourceSize: [1, 1], targetSize: [1, 1], targetBox: [0, 0, 1, 1] } as const;
    const points = { cells: new Int32Array(errors.length), similarities: values, found: [], chance: values };
    return {
      pair: { name: 'p', category, points: [], ...sizes },
      match: { ...points, errors: values, pckErrors: values },
    };
  };
  const pairs = [matched(0, [0.04, 0.2, 0.3]), matched(0, [0.09]), matched(2, [0.02, 0.4])];
  const bins = [{ name: 'all', pairs: [0, 1, 2] }];
  for (const outcome of correspondence(new Map(pairs.entries()), bins, { classes: ['a', 'b', 'c'] }))
    checkItems(outcome);

  const tally = (points: number, found: number): WarpTally => ({
    ...{ points, found: [found, 0], inPlace: [0, 0], bestCell: [0, 0], chance: [0, 0], error: 0 },
  });
  checkItems(warpCorrespondence('mild', [tally(10, 3), tally(4, 4)], { side: 4, seed: 0, wallMs: 0 }));
});
