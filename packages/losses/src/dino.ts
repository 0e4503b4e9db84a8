/**
 * The DINO loss between CLS tokens (Caron et al. 2021, equation 3; DINOv2; Franca section 3.2): the student, which sees masked global crops and small local crops,
 * predicts the teacher's distribution over prototypes for another view. With b images, 2 global and L local crops each, and
 * CE(t, s) = -sum_k t_k log softmax(s)_k, per level:
 *
 *   local  = sum over local crops l and teacher views t of mean over images of CE(t, l)      2 L pairs of views
 *   global = mean over the 2b rows of CE(t, g), t being the other view than g                2 pairs of views
 *
 * Levels are summed, and both terms divided by the number of pairs: loss = (local + 2 global) / (2 L + 2). The teacher's views are swapped beforehand
 * (`swapViews`), so that row r of the targets belongs to the other view of the image that row r of the student shows.
 */
import { type Logits, type SoftTargets, targetCrossEntropy } from '@franca/nn';
import { add, concat, mul, sliceAxis, sum, type Tensor } from '@franca/tensor';
import { LossError } from './errors';

/** Student logits and teacher targets of one level. */
export interface Level {
  readonly student: Logits;
  readonly targets: SoftTargets;
}

const GLOBAL_CROPS = 2;

/** Rows [2b, ...] of two views, the second first: [view 2, view 1]. */
export function swapViews(rows: Tensor): Tensor {
  const b = rows.shape[0]! / GLOBAL_CROPS;
  return concat([sliceAxis(rows, 0, b, GLOBAL_CROPS * b), sliceAxis(rows, 0, 0, b)]);
}

// biome-ignore lint/style/useConsistentTypeDefinitions: only a type, not an interface, is assignable to a tree with any keys
export type DinoLoss = {
  /** Scalars, as they enter the loss: divided by the number of pairs, summed over levels. */
  readonly local: Tensor;
  readonly global: Tensor;
};

/**
 * Student rows: 2b global crops, then L b local crops, crop by crop; divided by the student's temperature. Targets: 2b rows, views swapped.
 * Throws `LossError` (`shape`) if rows do not fit.
 */
export function dinoLoss(levels: readonly Level[]): DinoLoss {
  const terms = levels.map(({ student, targets }) => {
    const rows = targets.rows;
    const b = rows / GLOBAL_CROPS;
    const localCrops = (student.rows - rows) / b;
    if (!Number.isInteger(b) || !Number.isInteger(localCrops) || localCrops < 0)
      throw new LossError(
        'shape',
        `${student.rows} student rows and ${rows} targets: expected 2b targets, and 2b + L b student rows`,
      );
    const pairs = Math.max(GLOBAL_CROPS * localCrops, 1) + GLOBAL_CROPS;
    const each = targetCrossEntropy(student, targets, { own: rows, views: GLOBAL_CROPS });
    return {
      global: mul(sum(sliceAxis(each, 0, 0, rows)), 1 / (b * pairs)),
      local: mul(sum(sliceAxis(each, 0, rows, student.rows)), 1 / (b * pairs)),
    };
  });
  return { local: total(terms.map(({ local }) => local)), global: total(terms.map(({ global }) => global)) };
}

/** Sum of scalars. */
export const total = (terms: readonly Tensor[]): Tensor => terms.reduce((a, b) => add(a, b));
