/** Cross-entropy of a row of logits and its gradient, in f64: what linear classifiers on the CPU train by. */

/** Replaces logits `[C]` by `softmax - onehot` and returns their cross-entropy at `label`. */
export function softmaxResidual(logits: Float64Array, label: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const logit of logits) max = Math.max(max, logit);
  const own = logits[label]! - max;
  let total = 0;
  for (let c = 0; c < logits.length; c++) {
    logits[c] = Math.exp(logits[c]! - max);
    total += logits[c]!;
  }
  for (let c = 0; c < logits.length; c++) logits[c] = logits[c]! / total - Number(c === label);
  return Math.log(total) - own;
}
