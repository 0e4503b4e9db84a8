/**
 * Ranks fail together. What can go wrong on one of them only (a file that it cannot read, no adapter, a full disk) runs between two exchanges: afterwards all know
 * whether it went well everywhere, and if not, all throw the same error, which rank 0 tells. No rank is left waiting for one that has given up.
 */
import type { Communicator } from '@franca/collective';
import { DataError } from '@franca/data';
import { TrainError, type TrainErrorCode } from '../errors';
import { errorText } from '../text/error-text';
import { gatherNumbers, gatherRecords } from './exchange';
import { markAgreed } from './known-to-all';
import { rankName } from './rank-name';

/** What came of some work. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

export async function attempt<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

/**
 * Does `work` on every rank; it makes no calls of the ranks.
 * @throws its error where there is one rank; where one of several failed, on all of them the same TrainError, for which `isAgreed`
 */
export async function together<T>(ranks: Communicator, work: () => T | Promise<T>): Promise<T> {
  if (ranks.size === 1) return work();
  const outcome = await attempt(work);
  const failed = await gatherNumbers(ranks, ['error' in outcome ? 1 : 0]);
  if ('value' in outcome && failed.every(([one]) => one === 0)) return outcome.value;
  throw await agreedError(ranks, outcome);
}

/** The same on rank 0 alone, the others wait for it; undefined there. */
export const onFirst = <T>(ranks: Communicator, work: () => T | Promise<T>): Promise<T | undefined> =>
  together(ranks, () => (ranks.rank === 0 ? work() : undefined));

interface Failure {
  readonly code: TrainErrorCode;
  readonly text: string;
}

/** The error of the lowest rank that failed, under its name unless all failed alike; called by all ranks where one has failed at least. */
export async function agreedError(ranks: Communicator, outcome: Outcome<unknown>): Promise<TrainError> {
  const failures = await gatherRecords(ranks, 'error' in outcome ? failureOf(outcome.error) : null);
  const lowest = failures.findIndex((failure) => failure !== null);
  const { code, text } = failures[lowest]!;
  const alike = failures.every((failure) => failure?.text === text);
  const cause = 'error' in outcome ? { cause: outcome.error } : {};
  return markAgreed(new TrainError(code, alike ? text : `${rankName(ranks, lowest)}: ${text}`, cause));
}

function failureOf(error: unknown): Failure {
  const text = errorText(error);
  if (error instanceof TrainError) return { code: error.code, text };
  return { code: error instanceof DataError ? 'data' : 'run', text };
}
