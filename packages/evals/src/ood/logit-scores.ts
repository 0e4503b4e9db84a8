/**
 * Confidence from the logits `z` of a classifier alone. Higher means more like the training classes.
 *
 *   msp        max_c softmax(z)_c
 *   max-logit  max_c z_c
 *   energy     T * logsumexp(z / T)
 *   gen        -sum over the M largest probabilities of p^g (1 - p)^g, g = 0.1, M = 100
 *
 * Sources: Hendrycks & Gimpel 2017 (MSP), Hendrycks et al. 2022 (max-logit), Liu et al. 2020 (energy), Liu et al. 2023
 * (GEN).
 */
import type { Matrix } from '../matrix';

export type LogitScore = 'msp' | 'max-logit' | 'energy' | 'gen';

/** Confidence of each row of logits. `temperature` is that of the energy. */
export function logitConfidence(score: LogitScore, logits: Matrix, temperature = 1): Float64Array {
  return Float64Array.from({ length: logits.rows }, (_, i) => {
    const row = logits.data.subarray(i * logits.cols, (i + 1) * logits.cols);
    const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    switch (score) {
      case 'max-logit':
        return max;
      case 'energy':
        return max + temperature * Math.log(sum(row, (z) => Math.exp((z - max) / temperature)));
      case 'msp':
        return 1 / sum(row, (z) => Math.exp(z - max));
      case 'gen':
        return -generalisedEntropy(row, max);
    }
  });
}

function generalisedEntropy(row: Float32Array, max: number): number {
  const total = sum(row, (z) => Math.exp(z - max));
  const largest = Float64Array.from(row, (z) => Math.exp(z - max) / total)
    .sort()
    .reverse()
    .subarray(0, 100);
  return sum(largest, (p) => (p * (1 - p)) ** 0.1);
}

function sum(values: Iterable<number>, of: (value: number) => number): number {
  let total = 0;
  for (const value of values) total += of(value);
  return total;
}
