/**
 * The vote of in-context segmentation on the CPU, weighted by similarity. Each neighbour brings a label distribution,
 * weighted by a softmax over the neighbours' similarities: `out_q = sum_j softmax_j(s_qj / T) * label_j`.
 */
import type { SoftVote } from './eval-backend';

export async function softVote({ neighbours, temperature, labels }: SoftVote): Promise<Float32Array> {
  const { k, scores, indices } = neighbours;
  const classes = labels.cols;
  const queries = k === 0 ? 0 : scores.length / k;
  const out = new Float32Array(queries * classes);
  const vote = new Float64Array(classes);
  for (let q = 0; q < queries; q++) {
    const best = scores[q * k]!;
    let total = 0;
    vote.fill(0);
    for (let j = q * k; j < (q + 1) * k; j++) {
      const weight = Math.exp((scores[j]! - best) / temperature);
      const from = indices[j]! * classes;
      for (let c = 0; c < classes; c++) vote[c]! += weight * labels.data[from + c]!;
      total += weight;
    }
    for (let c = 0; c < classes; c++) out[q * classes + c] = vote[c]! / total;
  }
  return out;
}
