/** Mean and covariance of rows, from moments that are gathered in one pass. */
import type { EvalBackend, Gram } from '../backend/eval-backend';
import { ROWS } from '../check-features';
import { checkBackend, EvalsError } from '../errors';
import { type Batched, batches } from '../features';
import type { Matrix } from '../matrix';

/** Moments of all rows of a source in one pass. */
export async function momentsOf(backend: EvalBackend, source: Batched<Matrix>): Promise<Gram> {
  checkBackend('momentsOf', backend);
  let session: ReturnType<EvalBackend['openGram']> | undefined;
  try {
    for await (const tile of batches('momentsOf: rows', source, ROWS)) {
      session ??= backend.openGram(tile.cols);
      await session.add(tile);
    }
    if (!session) throw new EvalsError('bad-features', 'there are no rows to take moments of');
    return await session.result();
  } finally {
    session?.[Symbol.dispose]();
  }
}

/** Mean row `[cols]`. */
export function meanOf({ sum, rows }: Gram): Float64Array {
  return sum.map((value) => value / rows);
}

/** Population covariance `[cols, cols]`: `E[x x^T] - mean mean^T`. */
export function covarianceOf(gram: Gram): Float64Array {
  const mean = meanOf(gram);
  return gram.products.map((value, i) => value / gram.rows - mean[Math.floor(i / gram.cols)]! * mean[i % gram.cols]!);
}
