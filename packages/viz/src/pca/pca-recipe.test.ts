import { expect, test } from 'vitest';
import { PCA_RECIPES, type PcaRecipeName, resolveRecipe, scaleScores } from './pca-recipe';

test('the recipes are the published ones', () => {
  expect(PCA_RECIPES.paper.foreground).toEqual({ score: 'raw', keep: 'above', threshold: 0 });
  expect(PCA_RECIPES.jul25.foreground).toEqual({ score: 'minmax', keep: 'below', threshold: 0.35 });
  expect(PCA_RECIPES.mid).toEqual({ whiten: false, scale: { kind: 'minmax' } });
  expect(PCA_RECIPES.capi).toEqual({ whiten: true, scale: { kind: 'clip', limit: 2.3 } });
  expect(PCA_RECIPES.dinov3).toEqual({ whiten: true, scale: { kind: 'sigmoid', gain: 2 } });
});

test('scales send scores to 0..1 by their closed forms', () => {
  const scores = Float64Array.of(-4.6, -2.3, 0, 1.15, 9);
  expect([...scaleScores(scores, scores, { kind: 'clip', limit: 2.3 })]).toEqual([0, 0, 0.5, 0.75, 1]);
  const sigmoid = scaleScores(Float64Array.of(0, Math.log(3) / 2), scores, { kind: 'sigmoid', gain: 2 });
  expect([...sigmoid]).toEqual([0.5, expect.closeTo(0.75, 12)]);
});

test('min-max spans the fitted scores and clips the others', () => {
  const scaled = scaleScores(Float64Array.of(-10, 0, 1, 2, 10), Float64Array.of(0, 2), { kind: 'minmax' });
  expect([...scaled]).toEqual([0, 0, 0.5, 1, 1]);
  expect([...scaleScores(Float64Array.of(7, 7), Float64Array.of(7, 7), { kind: 'minmax' })]).toEqual([0.5, 0.5]);
});

test('an unknown recipe is refused with the names there are', () => {
  expect(() => resolveRecipe('v2' as PcaRecipeName)).toThrow(
    /no PCA recipe 'v2'; choose paper, jul25, mid, dinov3, capi/,
  );
});
