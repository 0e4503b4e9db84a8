/**
 * The most similar bank items of each query, by cosine, with the bank streamed past in batches: nothing of it is held but
 * labels and the batch that is searched, with the next one being read meanwhile.
 */
import type { EvalBackend, TopK } from '../backend/eval-backend';
import { LABELLED } from '../check-features';
import { checkOption, EvalsError } from '../errors';
import { type Batched, batches, checkLabels, classTokens, joinLabels, type LabelledFeatures } from '../features';
import { type Matrix, normaliseRows, rowRange } from '../matrix';
import { loadProgress, type ProgressKeeper, type SavedProgress, savedArray } from '../progress';
import { readAhead } from '../read-ahead';

/** Neighbours of each query, and the labels of the whole bank. */
export interface NearestItems {
  readonly neighbours: TopK;
  readonly labels: Int32Array;
}

/** How many neighbours are asked for, and where the search keeps its progress. */
export interface NearestOptions {
  readonly k: number;
  readonly progress?: ProgressKeeper | undefined;
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
  { k, progress }: NearestOptions,
): Promise<NearestItems> {
  const saved = await loadProgress('knn', progress);
  using search = backend.openTopK(normaliseRows(queries), k);
  const searched = saved ? foundBefore(saved, queries.rows, k) : { rows: 0, neighbours: undefined };
  if (searched.neighbours) search.load(searched.neighbours, searched.rows);
  const labels: Int32Array[] = [];
  let rows = 0;
  for await (const batch of readAhead(batches('knn: train', bank, LABELLED))) {
    const tokens = classTokens(batch);
    checkLabels(batch.labels, tokens.rows);
    labels.push(batch.labels);
    const known = Math.min(tokens.rows, Math.max(0, searched.rows - rows));
    rows += tokens.rows;
    if (known === tokens.rows) continue;
    await search.add(normaliseRows(rowRange(tokens, known, tokens.rows)));
    if (progress?.due()) await progress.save(savedSearch(await search.result(), rows));
  }
  const joined = joinLabels(labels);
  if (joined.length === 0) throw new EvalsError('features', 'the train set is empty; k-NN needs at least one item');
  checkOption(
    searched.rows <= rows,
    `the saved progress is after ${searched.rows} train items, of which there are ${rows}; it is of another set: delete it`,
  );
  return { neighbours: await search.result(), labels: joined };
}

const savedSearch = ({ scores, indices }: TopK, rows: number): SavedProgress => ({
  state: { rows },
  arrays: { scores, indices },
});

function foundBefore(saved: SavedProgress, queries: number, k: number): { rows: number; neighbours: TopK } {
  const rows = Number((saved.state as { rows?: unknown } | null)?.rows);
  checkOption(Number.isSafeInteger(rows) && rows >= 0, `the saved progress is after ${rows} train items; delete it`);
  const found = Math.min(k, rows);
  const scores = savedArray(saved, 'scores', Float32Array, queries * found);
  const indices = savedArray(saved, 'indices', Int32Array, queries * found);
  return { rows, neighbours: { k: found, scores, indices } };
}
