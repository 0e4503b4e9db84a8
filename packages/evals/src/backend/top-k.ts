/** What the top-k searches of all backends check before they search. */
import { checkOption, EvalsError } from '../errors';
import { LONGEST_ARRAY, type Matrix } from '../matrix';
import type { TopK } from './eval-backend';

/** @throws EvalsError `options` unless `k` is a positive integer, and as many neighbours of all queries fit one array */
export function checkNeighbours(k: number, queries: Matrix): void {
  checkOption(Number.isInteger(k) && k >= 1, `k is ${k}; it must be a positive integer`);
  checkOption(
    queries.rows * k <= LONGEST_ARRAY,
    `${k} neighbours of ${queries.rows} queries are more than the ${LONGEST_ARRAY} numbers of an array; search for fewer queries at a time`,
  );
}

/** @throws EvalsError `features` unless bank and queries are equally wide */
export function checkBank(tile: Matrix, queries: Pick<Matrix, 'cols'>): void {
  if (tile.cols === queries.cols) return;
  throw new EvalsError('features', `the bank has ${tile.cols} columns and the queries ${queries.cols}; use one model`);
}

/** @throws EvalsError `options` unless these are the best of `seen` rows for so many queries */
export function checkFound({ k: found, scores, indices }: TopK, seen: number, queries: number, k: number): void {
  const fits = found === Math.min(k, seen) && scores.length === found * queries && indices.length === scores.length;
  checkOption(
    fits,
    `${scores.length} scores and ${indices.length} indices are not the ${k} best of ${seen} rows for ${queries} queries; load what result gave for the same queries`,
  );
}
