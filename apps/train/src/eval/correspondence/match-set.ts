/**
 * The pairs of a set, matched as the features of their pictures come. Pictures lie class by class and those of a pair are of one class, so that
 * few are in memory at a time: a picture is forgotten after its last pair.
 */
import { type MatchedPair, matchPair, type PatchFeatures } from '@franca/evals';
import type { PatchTokens } from '../../features/compute-shard';
import type { SetPair } from '../../image-sets/pair-set';
import type { Preparation } from '../../image-sets/preparation';
import { type CountProgress, countProgress } from '../../text/count-progress';
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
  { pairs: { pairs }, tokens }: PairPart,
  { size, patches, indices }: MatchRequest,
): Promise<Map<number, MatchedPair>> {
  const matched = new Map<number, MatchedPair>();
  const features = new Map<number, PatchFeatures>();
  const { waiting, lastUse } = inOrderOfPictures(pairs, indices);
  let done = 0;
  let progress: CountProgress | undefined;
  const matchUpTo = (picture: number): void => {
    // counted from here: the first features may take long
    progress ??= countProgress(`pairs at ${size.side} px`, { items: 'pairs', unit: 'pairs' });
    for (; done < waiting.length && waiting[done]!.complete <= picture; done++) {
      const { index } = waiting[done]!;
      const pair = pairs[index]!;
      const [source, target] = [features.get(pair.source), features.get(pair.target)];
      if (source && target) matched.set(index, { pair, match: matchPair(source, target, pair, size.side) });
      progress.update(done + 1, waiting.length, false);
    }
    for (const known of features.keys()) if (lastUse.get(known)! <= picture) features.delete(known);
  };
  const pictures = [...lastUse.keys()].sort((a, b) => a - b);
  for await (const some of tokens(pictures, { preparation: preparationAt(size), patches })) {
    for (const [picture, own] of some) features.set(picture, own);
    // pictures come in their order
    matchUpTo([...some.keys()].at(-1)!);
  }
  matchUpTo(Number.POSITIVE_INFINITY);
  progress?.end();
  return matched;
}

/** Pairs by the picture that completes them, and by picture the last such place that it is needed at. */
function inOrderOfPictures(pairs: readonly SetPair[], indices: readonly number[]) {
  const lastUse = new Map<number, number>();
  const waiting = indices.map((index) => {
    const { source, target } = pairs[index]!;
    const complete = Math.max(source, target);
    for (const picture of [source, target]) lastUse.set(picture, Math.max(complete, lastUse.get(picture) ?? 0));
    return { index, complete };
  });
  return { waiting: waiting.sort((a, b) => a.complete - b.complete), lastUse };
}
