/** Cross-entropy of a row of logits and its gradient, in f64: what linear classifiers on the CPU train by. */

/**
 * Replaces logits `[C]` by `softmax - onehot` and returns their cross-entropy at `label`. With nearly all of the probability at the label, both are small
 * numbers to full relative accuracy: they are made of what the other classes have, not of differences from 1.
 */
export function softmaxResidual(logits: Float64Array, label: number): number {
  let top = 0;
  for (let c = 1; c < logits.length; c++) if (logits[c]! > logits[top]!) top = c;
  const max = logits[top]!;
  const own = logits[label]! - max;
  let others = 0;
  for (let c = 0; c < logits.length; c++) {
    logits[c] = Math.exp(logits[c]! - max);
    if (c !== top) others += logits[c]!;
  }
  const total = 1 + others;
  for (let c = 0; c < logits.length; c++) logits[c]! /= total;
  logits[label] = label === top ? -others / total : logits[label]! - 1;
  return Math.log1p(others) - own;
}
