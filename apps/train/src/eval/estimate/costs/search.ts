/** Searches of the nearest rows of a bank: the time is that of all pairs of a row and a query. */
import type { EvalBackend } from '@franca/evals';
import { matrix } from '@franca/evals';
import { madeUpRows } from '../made-up';
import type { Work } from '../task-cost';

/** Of the bank and of queries in a trial: blocks that a device is busy with. */
const BANK = 2048;
const QUERIES = 4096;

export interface Search {
  readonly name: string;
  readonly rows: number;
  readonly queries: number;
  readonly dim: number;
  readonly k: number;
  /** Searches of this kind; default 1. */
  readonly times?: number;
}

export function searchWork(backend: EvalBackend, { name, rows, queries, dim, k, times = 1 }: Search): Work {
  const asked = Math.min(queries, QUERIES);
  return {
    name,
    units: times * rows * queries,
    trial: (scale) => ({
      units: scale * BANK * asked,
      async run() {
        using search = backend.openTopK(matrix(madeUpRows(asked, dim, 1), dim), k);
        const bank = matrix(madeUpRows(BANK, dim), dim);
        for (let i = 0; i < scale; i++) await search.add(bank);
        await search.result();
      },
    }),
  };
}

/** On the device: the queries, and scores and numbers of the best of each. */
export const searchBytes = (queries: number, dim: number, k: number): number => queries * (4 * dim + 8 * k);
