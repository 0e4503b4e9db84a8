/** What decides the numbers of a run must be the same on all ranks: else each would compute a run of its own, and their mean would be none. */
import type { Communicator } from '@franca/collective';
import { changedSettings, describeChanges } from '../config/changes';
import { TrainError } from '../errors';
import { gatherRecords } from '../ranks/exchange';
import { markAgreed } from '../ranks/known-to-all';
import { rankName } from '../ranks/rank-name';
import { dataDifference } from './data-record';
import type { Ingredients } from './saved-state';

export interface RankFacts {
  readonly made: Ingredients;
  /** The step that it goes on from. */
  readonly from: number;
  readonly adapter: string;
}

/** The adapters of all ranks, in their order. @throws TrainError `config` on all ranks, naming the first that differs from rank 0 and in what */
export async function sameOnAll(ranks: Communicator, own: RankFacts): Promise<string[]> {
  if (ranks.size === 1) return [own.adapter];
  const all = await gatherRecords(ranks, own);
  for (const [rank, facts] of all.entries()) {
    const difference = differenceOf(all[0]!, facts);
    if (difference)
      throw markAgreed(
        new TrainError(
          'config',
          `${rankName(ranks, rank)}, would compute another run than rank 0: ${difference}; start all ranks by one command, with the same files`,
        ),
      );
  }
  return all.map(({ adapter }) => adapter);
}

function differenceOf(first: RankFacts, other: RankFacts): string | undefined {
  const settings = changedSettings(first.made.config, other.made.config);
  if (settings.length > 0) return describeChanges(settings);
  if (first.made.precision !== other.made.precision)
    return `it computes in ${other.made.precision} on ${other.adapter}, rank 0 in ${first.made.precision} (franca.precision=f32 is for all)`;
  if (first.made.teacher?.sha256 !== other.made.teacher?.sha256)
    return `its frozen teacher has other weights (${other.made.teacher?.file})`;
  if (first.from !== other.from) return `it goes on from step ${other.from}, rank 0 from step ${first.from}`;
  return dataDifference(first.made.data, other.made.data);
}

/** A warning where ranks compute on other adapters, or by other kernels, than rank 0; both are texts of all ranks in order. */
export function unlikeFirst(ranks: Communicator, adapters: readonly string[], kernels: readonly string[]): string[] {
  const others = adapters.flatMap((adapter, rank) =>
    adapter === adapters[0] ? [] : [`${rankName(ranks, rank)}: ${adapter}`],
  );
  const means = 'their weights may come to differ in rounding, and the run ends where they do';
  if (others.length > 0) return [`warning: not all ranks compute on ${adapters[0]} (${others.join('; ')}): ${means}`];
  const odd = kernels.findIndex((text) => text !== kernels[0]);
  return odd < 0 ? [] : [`warning: ${rankName(ranks, odd)}, computes by other kernels than rank 0: ${means}`];
}
