/**
 * Which patches of an image enter a bounded memory: rather those of rare classes. Patches that hold only common classes
 * score high: with `f_c` the number of patches that contain class `c`, patch `p` scores
 * `u_p * sum of f_c over its classes`, `u_p` uniform in `[0, 1)`; the `keep` lowest scores are kept, so rare classes
 * are preferred and ties are random. Source: Hummingbird's memory sampling as in open-hummingbird-eval.
 */
import type { Random } from '../numerics/random';

/**
 * @param labels soft labels `[patches, classes]`
 * @returns patch numbers in ascending order
 */
export function samplePatches(labels: Float32Array, classes: number, keep: number, draws: Random): Int32Array {
  const patches = labels.length / classes;
  const frequency = new Float64Array(classes);
  labels.forEach((share, i) => {
    if (share > 0) frequency[i % classes]! += 1;
  });
  const scores = Float64Array.from({ length: patches }, (_, p) => {
    let common = 0;
    for (let c = 0; c < classes; c++) if (labels[p * classes + c]! > 0) common += frequency[c]!;
    return draws.uniform() * common;
  });
  const order = Array.from(scores.keys()).toSorted((a, b) => scores[a]! - scores[b]! || a - b);
  return Int32Array.from(order.slice(0, keep)).sort();
}
