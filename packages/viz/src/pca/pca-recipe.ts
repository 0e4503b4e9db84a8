/**
 * The published ways to turn patch features into colours, as data. All fit a PCA and show its first three components
 * as red, green and blue; they differ in what they call foreground and in how scores become 0..1.
 *
 * - `paper` (Franca, Fig. 9): keep patches with a positive first score, fit a second PCA on them, min-max per component.
 * - `jul25` (Franca's script of July 2025): min-max the first score; above 0.35 is *background*; second PCA on the rest.
 * - `mid` (Franca's newer script, for RASA tokens): one PCA over all patches, min-max per component, no foreground.
 * - `dinov3` (DINOv3's notebook): whitened PCA, sigmoid(2 score); its foreground comes from a classifier (pass a mask).
 * - `capi` (CAPI, Fig. 8): whitened PCA over all patches, clipped to +-2.3, which is 98 % of a normal variable.
 *
 * What no source fixes is the sign of a component. First stage: `pca-map.ts` turns it so that the picture's border is
 * background. Colours: so that scores are skewed to the positive side (CAPI's rule).
 */
import { VizError } from '../errors';

/** Which patches are foreground, by their first score. */
export interface ForegroundRule {
  /** `raw` compares the centred score itself, `minmax` the score scaled to 0..1 over all patches of the fit. */
  readonly score: 'raw' | 'minmax';
  readonly keep: 'above' | 'below';
  /** Kept are scores strictly above, or at most, this value. */
  readonly threshold: number;
}

/** How a component's scores become 0..1. */
export type ScoreScale =
  | { readonly kind: 'minmax' }
  | { readonly kind: 'clip'; readonly limit: number }
  | { readonly kind: 'sigmoid'; readonly gain: number };

/** One way to colour patches. */
export interface PcaRecipe {
  /** Absent: every patch is foreground, unless a mask is passed. */
  readonly foreground?: ForegroundRule;
  /** Divides scores by the standard deviation of their component. */
  readonly whiten: boolean;
  readonly scale: ScoreScale;
}

/** Name of a published recipe. */
export type PcaRecipeName = 'paper' | 'jul25' | 'mid' | 'dinov3' | 'capi';

/** The published recipes by name. */
export const PCA_RECIPES: Readonly<Record<PcaRecipeName, PcaRecipe>> = {
  paper: { foreground: { score: 'raw', keep: 'above', threshold: 0 }, whiten: false, scale: { kind: 'minmax' } },
  jul25: { foreground: { score: 'minmax', keep: 'below', threshold: 0.35 }, whiten: false, scale: { kind: 'minmax' } },
  mid: { whiten: false, scale: { kind: 'minmax' } },
  dinov3: { whiten: true, scale: { kind: 'sigmoid', gain: 2 } },
  capi: { whiten: true, scale: { kind: 'clip', limit: 2.3 } },
};

/** A recipe by name, or the given one; throws `options` on an unknown name. */
export function resolveRecipe(recipe: PcaRecipeName | PcaRecipe): PcaRecipe {
  if (typeof recipe !== 'string') return recipe;
  const known = PCA_RECIPES[recipe];
  if (!known) {
    const names = Object.keys(PCA_RECIPES).join(', ');
    throw new VizError('options', `there is no PCA recipe '${recipe}'; choose ${names}, or pass one as data`);
  }
  return known;
}

/** Scores to 0..1 by the recipe's scale; a component that does not vary becomes 0.5 throughout. */
export function scaleScores(scores: Float64Array, fitted: Float64Array, scale: ScoreScale): Float64Array {
  if (scale.kind === 'clip') return scores.map((score) => clip01((score / scale.limit + 1) / 2));
  if (scale.kind === 'sigmoid') return scores.map((score) => 1 / (1 + Math.exp(-scale.gain * score)));
  const low = fitted.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = fitted.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return scores.map((score) => (high > low ? clip01((score - low) / (high - low)) : 0.5));
}

function clip01(value: number): number {
  return Math.min(1, Math.max(0, value));
}
