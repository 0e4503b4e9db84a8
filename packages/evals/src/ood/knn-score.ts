/**
 * Confidence by the distance to the K-th nearest train feature. With all features L2-normalised it is
 * `-|x - t_K|^2 = -(2 - 2 <x, t_K>)`. K beyond the bank means the farthest of it. Source: Sun et al. 2022.
 */
import type { EvalBackend } from '../backend/eval-backend';
import { ROWS } from '../check-features';
import { type Batched, batches } from '../features';
import { type Matrix, normaliseRows } from '../matrix';

/** The bank is passed once, and the neighbours of all rows are kept. */
export async function knnConfidence(
  backend: EvalBackend,
  bank: Batched<Matrix>,
  x: Matrix,
  k: number,
): Promise<Float64Array> {
  using search = backend.openTopK(normaliseRows(x), k);
  for await (const rows of batches('oodDetection: train', bank, ROWS)) await search.add(normaliseRows(rows));
  const { k: found, scores } = await search.result();
  return Float64Array.from({ length: x.rows }, (_, i) => 2 * scores[(i + 1) * found - 1]! - 2);
}
