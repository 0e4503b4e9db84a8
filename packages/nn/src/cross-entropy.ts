/**
 * Cross-entropy of class scores against labels: the mean over rows of -log softmax(logits)[label], from log-sum-exp, so that scores of any size work.
 * A label that is no class has no term of the softmax; its row, and with it the loss, is infinite instead of merely wrong.
 */
import { add, cast, log, logSumExp, mean, mul, oneHot, sub, sum, type Tensor, TensorError } from '@franca/tensor';

/** Mean cross-entropy of `logits` [.., C] and `labels` [..] (u32 or i32), a scalar in f32. Throws `TensorError` for shapes and types that do not fit. */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const [classes, rows] = [logits.shape.at(-1), logits.shape.slice(0, -1)];
  if (classes === undefined || rows.join() !== labels.shape.join())
    throw new TensorError(
      'shape',
      `crossEntropy: logits [${logits.shape.join(', ')}] need labels [${rows.join(', ')}], got [${labels.shape.join(', ')}]`,
    );
  if (labels.dtype !== 'u32' && labels.dtype !== 'i32')
    throw new TensorError('dtype', `crossEntropy: labels are class numbers, u32 or i32, got ${labels.dtype}`);
  const scores = cast(logits, 'f32');
  const own = oneHot(labels, classes);
  const picked = add(sum(mul(scores, own), [-1]), log(sum(own, [-1])));
  return mean(sub(logSumExp(scores, [-1]), picked));
}
