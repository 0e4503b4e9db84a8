/** The pairs of a set, matched class by class: features of the pictures of one class are in memory at a time. */
import { type MatchedPair, matchPair } from '@franca/evals';
import type { PatchTokens } from '../../features/compute-shard';
import type { Preparation } from '../../image-sets/preparation';
import { countProgress } from '../../text/count-progress';
import type { PairPart } from '../part';
import type { MatchSize } from './sizes';

export interface MatchRequest {
  readonly size: MatchSize;
  readonly patches: PatchTokens;
  /** Which pairs of the set. */
  readonly indices: readonly number[];
}

/** How pictures are prepared at a size. */
export const preparationAt = ({ input, side }: MatchSize): Preparation => ({ kind: 'pad-square', size: input, side });

/** By index in the set; pairs of a picture that could not be read are absent. */
export async function matchSet(
  { pairs: { pairs, classes }, tokens }: PairPart,
  { size, patches, indices }: MatchRequest,
): Promise<Map<number, MatchedPair>> {
  const matched = new Map<number, MatchedPair>();
  for (const [category, name] of classes.entries()) {
    const own = indices.filter((index) => pairs[index]!.category === category);
    if (own.length === 0) continue;
    const pictures = [...new Set(own.flatMap((index) => [pairs[index]!.source, pairs[index]!.target]))];
    const features = await tokens(
      name,
      pictures.sort((a, b) => a - b),
      { preparation: preparationAt(size), patches },
    );
    const { update, end } = countProgress(`pairs of ${name} at ${size.side} px`, { items: 'pairs', unit: 'pairs' });
    for (const [done, index] of own.entries()) {
      const pair = pairs[index]!;
      const [source, target] = [features.get(pair.source), features.get(pair.target)];
      if (source && target) matched.set(index, { pair, match: matchPair(source, target, pair, size.side) });
      update(done + 1, own.length, false);
    }
    end();
  }
  return matched;
}
