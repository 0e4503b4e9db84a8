import { EvalsError } from '../error';
import type { LabelPairs } from './eval-backend';

/** Exact counts of (prediction, target) pairs, `[predictions, targets]`; labels outside the shape are dropped. */
export async function countPairs({ predicted, target, shape, ignore }: LabelPairs): Promise<Float64Array> {
  if (predicted.length !== target.length) {
    throw new EvalsError(
      'bad-labels',
      `${predicted.length} predictions for ${target.length} targets; they must pair up`,
    );
  }
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
