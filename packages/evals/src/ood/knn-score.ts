/**
 * Confidence by the distance to the K-th nearest train feature. With all features L2-normalised it is
 * `-|x - t_K|^2 = -(2 - 2 <x, t_K>)`. K beyond the bank means the farthest of it. Source: Sun et al. 2022.
 */
import type { EvalBackend } from '../backend/eval-backend';
import { type Matrix, normaliseRows } from '../matrix';

export async function knnConfidence(backend: EvalBackend, bank: Matrix, x: Matrix, k: number): Promise<Float64Array> {
  using search = backend.openTopK(normaliseRows(x), k);
  await search.add(normaliseRows(bank));
  const { k: found, scores } = await search.result();
  return Float64Array.from({ length: x.rows }, (_, i) => 2 * scores[(i + 1) * found - 1]! - 2);
}
