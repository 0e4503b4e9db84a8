/** What is kept on the devices of all ranks: as much as that with the least memory can, so that all run the same step. */
import type { Communicator } from '@franca/collective';
import { type FittedStep, fitPretraining, type MemoryChoice } from '@franca/pretraining';
import type { Target } from '@franca/tensor';
import type { DerivedOptions } from '../config/derived-options';
import { gatherRecords } from '../ranks/exchange';
import { together } from '../ranks/together';

export interface FitOptions {
  readonly target: Target;
  /** The choice that the run began with, if it is to be kept. */
  readonly kept: MemoryChoice | undefined;
  /** An error of a step that does not fit, with what would. */
  readonly explain: (error: unknown) => unknown;
}

/** Fits the step to the devices of all ranks. Throws what `fitPretraining` does, explained. */
export async function fitOnAll(
  ranks: Communicator,
  options: DerivedOptions,
  { target, kept, explain }: FitOptions,
): Promise<FittedStep<DerivedOptions>> {
  const fit = (choice: MemoryChoice | undefined) =>
    together(ranks, () => {
      try {
        return fitPretraining(options, target, choice);
      } catch (error) {
        throw explain(error);
      }
    });
  const own = await fit(kept);
  if (ranks.size === 1) return own;
  const all = await gatherRecords(ranks, own.choice);
  const least = thriftiest(all);
  return all.every((choice) => isSame(choice, least)) ? own : fit(least);
}

const thriftiest = (choices: readonly MemoryChoice[]): MemoryChoice => ({
  remat: choices.some(({ remat }) => remat),
  keepBytes: Math.min(...choices.map(({ keepBytes }) => keepBytes)),
});

const isSame = (one: MemoryChoice, other: MemoryChoice): boolean =>
  one.remat === other.remat && one.keepBytes === other.keepBytes;
