/** Exact counts of (prediction, target) pairs on the CPU, `[predictions, targets]`. */
import { EvalsError } from '../errors';
import type { LabelPairs } from './eval-backend';

/** @throws EvalsError `labels` */
export function checkPairs(predicted: ArrayLike<number>, target: ArrayLike<number>): void {
  if (predicted.length === target.length) return;
  throw new EvalsError('labels', `${predicted.length} predictions for ${target.length} targets; they must pair up`);
}

/** Labels outside the shape are dropped. */
export async function countPairs({ predicted, target, shape, ignore }: LabelPairs): Promise<Float64Array> {
  checkPairs(predicted, target);
  const [predictions, targets] = shape;
  const counts = new Float64Array(predictions * targets);
  for (let i = 0; i < target.length; i++) {
    const p = predicted[i]!;
    const t = target[i]!;
    if (t === ignore || p < 0 || p >= predictions || t < 0 || t >= targets) continue;
    counts[p * targets + t]! += 1;
  }
  return counts;
}
