/**
 * The k-NN vote of DINO: similar neighbours vote with more weight. Each votes for its class with weight
 * `softmax_j(s_j / T)`, the softmax running over the whole neighbour list even when only its first `k` vote. That
 * leaves every ranking as it is, since it is a common factor, and the scores of a smaller `k` sum to less than 1.
 */
import type { TopK } from '../backend/eval-backend';

/** Options of `neighbourVote`. */
export interface VoteOptions {
  readonly ks: readonly number[];
  readonly temperature: number;
  readonly classes: number;
}

/** Class scores `[queries, classes]` for each `k`, in the order of `ks`; a `k` beyond the list means the whole list. */
export function neighbourVote(
  neighbours: TopK,
  bankLabels: Int32Array,
  { ks, temperature, classes }: VoteOptions,
): Float64Array[] {
  const { k: listed, scores, indices } = neighbours;
  const queries = listed === 0 ? 0 : scores.length / listed;
  const votes = ks.map(() => new Float64Array(queries * classes));
  const weights = new Float64Array(listed);
  for (let q = 0; q < queries; q++) {
    let total = 0;
    for (let j = 0; j < listed; j++) {
      weights[j] = Math.exp((scores[q * listed + j]! - scores[q * listed]!) / temperature);
      total += weights[j]!;
    }
    ks.forEach((k, i) => {
      for (let j = 0; j < Math.min(k, listed); j++) {
        votes[i]![q * classes + bankLabels[indices[q * listed + j]!]!]! += weights[j]! / total;
      }
    });
  }
  return votes;
}
