/** The most similar bank items of each query, by cosine, with the bank streamed past in batches. */
import type { EvalBackend, TopK } from '../backend/eval-backend';
import { LABELLED } from '../check-features';
import { EvalsError } from '../errors';
import { type Batched, batches, checkLabels, classTokens, joinLabels, type LabelledFeatures } from '../features';
import { type Matrix, normaliseRows } from '../matrix';

/** Neighbours of each query, and the labels of the whole bank. */
export interface NearestItems {
  readonly neighbours: TopK;
  readonly labels: Int32Array;
}

/**
 * The `k` most similar of each query. Features are normalised here.
 *
 * @throws EvalsError `features` for an empty bank or features of another width.
 */
export async function nearestItems(
  backend: EvalBackend,
  bank: Batched<LabelledFeatures>,
  queries: Matrix,
  k: number,
): Promise<NearestItems> {
  using search = backend.openTopK(normaliseRows(queries), k);
  const labels: Int32Array[] = [];
  for await (const batch of batches('knn: train', bank, LABELLED)) {
    const tokens = classTokens(batch);
    checkLabels(batch.labels, tokens.rows);
    await search.add(normaliseRows(tokens));
    labels.push(batch.labels);
  }
  const joined = joinLabels(labels);
  if (joined.length === 0) throw new EvalsError('features', 'the train set is empty; k-NN needs at least one item');
  return { neighbours: await search.result(), labels: joined };
}
