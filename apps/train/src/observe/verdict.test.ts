import { expect, test } from 'vitest';
import type { Compared, KnnFigures } from './knn-figures';
import { type RunOutcome, verdict } from './verdict';

const lead = (points: number, error = 0.01): Compared => ({ share: 0.3, lead: points / 100, error });
const knn = (pixels: Compared, start: Compared | undefined, step = 250): KnnFigures => ({
  ...{ step, k: 20, images: 500, classes: 10, chance: 0.1, share: 0.4, pixels },
  start: start && { ...start, weights: 'untrained' },
});
const outcome = (given: Partial<RunOutcome> = {}): RunOutcome => ({
  ...{ step: 250, steps: 250, running: false, warmup: 50, labelled: true, knn: undefined, loss: undefined },
  ...{ spread: undefined, trouble: [], fork: undefined },
  ...given,
});
const of = (...figures: Parameters<typeof knn>): string => verdict(outcome({ knn: knn(...figures) }));

test.each([
  [12, 20, 'training taught it what neither'],
  [12, 0, 'what training adds does not show'],
  [12, -9, 'training took away some'],
  [0, 20, 'no more than colours in their places'],
  [0, 0, 'too short, or the pictures are too few'],
  [0, -9, 'training took away some'],
  [-16, 20, 'training helped, but colours'],
  [-16, 1, 'training does not show yet'],
  [-16, -9, 'training made it worse'],
])('%d points over raw pixels and %d over the start say: %s', (pixels, start, meaning) => {
  const text = of(lead(pixels), lead(start));
  expect(text).toContain(meaning);
  expect(text).toMatch(/^The trained network .*raw pixels.*the untrained network.*: .*\.$/);
});

test('a lead says how much and how sure, in points', () => {
  expect(of(lead(12.34), lead(20))).toContain(
    'beats raw pixels by 12.3 points (± 2.0) and the untrained network by 20.0 points (± 2.0)',
  );
  expect(of(lead(-16.2), lead(-1.5))).toContain(
    'is 16.2 points (± 2.0) behind raw pixels and level with the untrained network (-1.5 points, noise ± 2.0)',
  );
});

test('a lead counts from above two standard errors on', () => {
  expect(of(lead(2, 0.01), lead(20))).toContain('is level with raw pixels (+2.0 points, noise ± 2.0)');
  expect(of(lead(2.1, 0.01), lead(20))).toContain('beats raw pixels by 2.1 points');
});

test('where the start is not known, raw pixels alone are compared, and it says so', () => {
  for (const points of [12, 0, -12])
    expect(of(lead(points), undefined)).toMatch(/how the run began is not known on these pictures\)\.$/);
});

test('weights that were trained before are not called untrained', () => {
  const pretrained = { ...lead(3), weights: 'pretrained' as const };
  expect(verdict(outcome({ knn: { ...knn(lead(12), undefined), start: pretrained } }))).toContain(
    'the weights it started from',
  );
});

test('a run from trained weights is judged by them, names its best reading, and says what it lost', () => {
  const said = (points: number, more: Partial<RunOutcome> = {}) => {
    const start = { ...lead(points), weights: 'pretrained' as const };
    return verdict(outcome({ knn: { ...knn(lead(12), undefined), start }, ...more }));
  };
  expect(said(9)).toContain('training added to what the weights knew');
  expect(said(0)).toContain('what the weights knew is kept, and what training adds does not show.');
  expect(said(-9)).toContain('took away some of what the weights knew');
  const best = { step: 100, share: 0.45 };
  expect(said(9, { best })).toContain('; the best reading was 45.0 % at step 100, kept as best.safetensors');
  expect(said(9, { best: { step: 250, share: 0.4 } })).not.toContain('best reading');
  const below = said(-9, {
    knn: { ...knn(lead(12), undefined), share: 0.2, start: { ...lead(-9), weights: 'pretrained' } },
    trouble: ['below-start'],
  });
  expect(below).toMatch(/; no reading was above those weights; beware: it fell below its start\.$/);
});

test('before the first step there is nothing to praise', () => {
  const first = knn(lead(-20), undefined, 0);
  expect(verdict(outcome({ step: 0, running: true, knn: first }))).toBe(
    'Nothing is trained yet: 20-NN names 40.0 % of 500 held-out pictures right, and on raw pixels 30.0 %.',
  );
});

test('a reading within the warm-up is a beginning, whatever it says', () => {
  const early = knn(lead(12), lead(20), 50);
  const text = verdict(outcome({ step: 50, steps: 250, knn: early }));
  expect(text).toContain('the learning rate was still rising (until step 50 of 250), so this is a beginning');
  expect(text).toMatch(/^Stopped at step 50 of 250: the trained network beats/);
});

test('a run that goes on, stopped, or was measured earlier says at which step', () => {
  const at100 = knn(lead(12), lead(20), 100);
  expect(verdict(outcome({ step: 100, running: true, knn: at100 }))).toMatch(/^So far \(step 100 of 250\) the trained/);
  expect(verdict(outcome({ step: 120, running: true, knn: at100 }))).toMatch(
    /^So far \(step 120 of 250, measured at step 100\) the trained/,
  );
  expect(verdict(outcome({ step: 120, knn: at100 }))).toMatch(/^Stopped at step 120 of 250, measured at step 100: the/);
  expect(verdict(outcome({ knn: at100 }))).toMatch(/^As of step 100 of 250: the trained network/);
});

test('without classes it says what there is instead, and that this is no accuracy', () => {
  const text = verdict(outcome({ labelled: false, loss: { first: 31.2, last: 27.94 }, spread: 0.62 }));
  expect(text).toBe(
    'The loss went from 31.20 to 27.94 and features of different pictures have a spread of 0.62 (0 is collapse, 1 is even): that tells whether training works, not how good the features are, and without classes there is no k-NN accuracy.',
  );
  expect(verdict(outcome({ step: 0, running: true }))).toBe('Nothing is measured yet.');
  expect(verdict(outcome({ loss: { first: 3, last: 2 } }))).toContain('no k-NN accuracy was measured since');
});

test('a fork names the run it left, and what looks wrong is never left out', () => {
  const text = verdict(
    outcome({
      knn: knn(lead(12), lead(20)),
      fork: { run: 'runs/a', step: 100 },
      trouble: ['collapse', 'few-prototypes'],
    }),
  );
  expect(text).toMatch(
    /; the first 100 steps were those of runs\/a; beware: all pictures .*, and hardly any prototype is used\.$/,
  );
});
