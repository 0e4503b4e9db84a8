/**
 * The vote of in-context segmentation, weighted by similarity. Each neighbour brings a label distribution, weighted by a
 * softmax over the neighbours' similarities: `out_q = sum_j softmax_j(s_qj / T) * label_j`.
 *
 * It only moves memory: a neighbour costs as many products as its patch has classes, so no device is asked.
 */
import type { TopK } from '../backend/eval-backend';
import type { LabelMemory } from './label-memory';

export interface SoftVote {
  readonly neighbours: TopK;
  readonly temperature: number;
  /** Label distribution of each bank row. */
  readonly labels: LabelMemory;
}

/** Label distributions `[end - begin, classes]` of the queries `begin` (included) to `end` (excluded). */
export function softVote({ neighbours, temperature, labels }: SoftVote, begin: number, end: number): Float32Array {
  const { k, scores, indices } = neighbours;
  const { classes, starts, entries, shares } = labels;
  const out = new Float32Array((end - begin) * classes);
  const vote = new Float64Array(classes);
  for (let q = begin; q < end; q++) {
    const best = scores[q * k]!;
    let total = 0;
    vote.fill(0);
    for (let j = q * k; j < (q + 1) * k; j++) {
      const weight = Math.exp((scores[j]! - best) / temperature);
      const row = indices[j]!;
      for (let e = starts[row]!; e < starts[row + 1]!; e++) vote[entries[e]!]! += weight * shares[e]!;
      total += weight;
    }
    for (let c = 0; c < classes; c++) out[(q - begin) * classes + c] = vote[c]! / total;
  }
  return out;
}
