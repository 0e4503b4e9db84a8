/** What the top-k searches of all backends check before they search. */
import { checkOption, EvalsError } from '../errors';
import type { Matrix } from '../matrix';

/** @throws EvalsError `options` unless `k` is a positive integer */
export function checkNeighbours(k: number): void {
  checkOption(Number.isInteger(k) && k >= 1, `k is ${k}; it must be a positive integer`);
}

/** @throws EvalsError `features` unless bank and queries are equally wide */
export function checkBank(tile: Matrix, queries: Matrix): void {
  if (tile.cols === queries.cols) return;
  throw new EvalsError('features', `the bank has ${tile.cols} columns and the queries ${queries.cols}; use one model`);
}
