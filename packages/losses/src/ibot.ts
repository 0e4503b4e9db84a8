/**
 * The iBOT loss between patch tokens (Zhou et al. 2022; DINOv2; Franca section 3.2): at the masked patches, the student, which saw the mask token there, predicts the
 * distribution of the teacher, which saw the patch. Every masked crop counts the same however much of it is masked: patch p has weight
 * w_p = 1 / (masked patches of its crop), and the sum is divided by all 2b crops, masked or not:
 *
 *   loss = sum over levels of 1/(2b) sum_p w_p CE(target_p, student_p)
 *
 * Masked patches come as lists of fixed length U; entries past their number have weight 0 and so neither a loss nor a gradient.
 */
import { targetCrossEntropy } from '@franca/nn';
import { mul, sum, type Tensor } from '@franca/tensor';
import { type Level, total } from './dino';
import { LossError } from './errors';

/** Student and targets of U rows each, weights [U], number of crops 2b (masked or not) -> scalar. Throws `LossError` (`shape`). */
export function ibotLoss(levels: readonly Level[], weights: Tensor, crops: number): Tensor {
  const terms = levels.map(({ student, targets }) => {
    if (student.rows !== targets.rows || weights.shape.length !== 1 || weights.shape[0] !== student.rows)
      throw new LossError(
        'shape',
        `${student.rows} student rows, ${targets.rows} targets and weights [${weights.shape.join(', ')}]: expected one of each per masked patch`,
      );
    const each = targetCrossEntropy(student, targets, { own: student.rows, views: 1 });
    return sum(mul(each, weights));
  });
  return mul(total(terms), 1 / crops);
}
