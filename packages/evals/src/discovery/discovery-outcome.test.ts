import { expect, test } from 'vitest';
import { corLoc } from '../metrics/corloc';
import { evalRecord } from '../outcome';
import { discoveryOutcome } from './discovery-outcome';

const score = corLoc([
  { box: [0, 0, 2, 2], otherBoxes: [[0, 0, 1, 1]], truth: [[0, 0, 2, 2]] },
  { box: [0, 0, 2, 2], otherBoxes: [], truth: [[4, 4, 6, 6]] },
]);
const run = { variant: 'keys of block 11', total: 5, hyper: { feature: 'key', layer: 11, patchSize: 16 }, wallMs: 7 };
const subject = { dataset: 'd', split: 's', features: 'f', preprocessing: 'p' };

test('TokenCut: the number, its range over ties, and how exactly the eigenvectors are known', () => {
  const details: Record<string, number>[] = [
    { lambda2: 0.1, lambda3: 0.4, residual: 1e-15 },
    { lambda2: 1, residual: 3e-15 },
  ];
  const outcome = discoveryOutcome(score, { ...run, protocol: 'tokencut', details });
  expect(evalRecord(subject, outcome)).toMatchObject({
    task: 'object-discovery',
    protocol: 'tokencut',
    evaluated: 2,
    total: 5,
    metric: 'CorLoc',
    value: 0.5,
    others: {
      'mean best IoU': 0.5,
      'lowest over ties': 0,
      'highest over ties': 0.5,
      'images whose ties give other boxes': 1,
      'images with nothing to cut': 1,
      'worst residual': 3e-15,
      'smallest gap to the third': expect.closeTo(0.3, 12),
      'median gap to the third': expect.closeTo(0.3, 12),
    },
    hyper: { tau: 0.2, eps: 1e-5, weighted: false, feature: 'key', layer: 11, patchSize: 16 },
  });
});

test('LOST and DINO-seg: their own settings, what was given above what is usual', () => {
  const details = [{}, {}];
  const lost = discoveryOutcome(score, { ...run, protocol: 'lost', details, hyper: { k: 50 } });
  expect(lost.hyper).toMatchObject({ k: 50, normalise: false, bias: 0, ties: expect.stringMatching(/lowest first/) });
  expect(Object.keys(lost.others)).toHaveLength(4);
  const seg = discoveryOutcome(score, { ...run, protocol: 'dino-seg', details, hyper: { head: 2, quirks: true } });
  expect(seg).toMatchObject({ quirks: true, hyper: { mass: 0.6, head: 2 } });
});

test('details of other pictures are refused', () => {
  expect(() => discoveryOutcome(score, { ...run, protocol: 'lost', details: [] })).toThrow(
    /details of 0 pictures for 2/,
  );
});
