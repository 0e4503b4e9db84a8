/** Everything that is known about each pair, as one object for each pair and size. */
import { type MatchedPair, type PairBin, type Point, RECALL_THRESHOLD } from '@franca/evals';
import type { PairSet } from '../../image-sets/pair-set';
import type { MatchSize } from './sizes';

/** One pair at one size; `points` is null where a picture of it could not be read. */
export interface ItemLine {
  readonly pair: string;
  readonly category: string;
  readonly viewpoint: number | null;
  /** The figures that it is part of. */
  readonly bins: readonly string[];
  readonly side: number;
  readonly source: string;
  readonly target: string;
  readonly points: readonly ItemPoint[] | null;
}

/** A key point; positions in pixels of the pictures. */
export interface ItemPoint {
  readonly id: string;
  readonly source: Point;
  readonly target: Point;
  /** Flat index in the target's grid. */
  readonly cell: number;
  /** Its centre. */
  readonly found: Point;
  readonly similarity: number;
  /** In longer sides of the box, by the protocol. */
  readonly error: number;
  readonly correct: boolean;
  /** The same from the centre of the cell to the key point as annotated. */
  readonly pckError: number;
}

/** Every pair of the bins at every size. */
export function* itemLines(
  { pairs, pictures, classes }: PairSet,
  bins: readonly PairBin[],
  matches: readonly { readonly size: MatchSize; readonly matched: ReadonlyMap<number, MatchedPair> }[],
): Generator<ItemLine> {
  const binsOf = new Map<number, string[]>();
  for (const { name, pairs: own } of bins)
    for (const index of own) binsOf.set(index, [...(binsOf.get(index) ?? []), name]);
  const indices = [...binsOf.keys()].sort((a, b) => a - b);
  for (const { size, matched } of matches)
    for (const index of indices) {
      const pair = pairs[index]!;
      yield {
        pair: pair.name,
        category: classes[pair.category]!,
        viewpoint: pair.viewpoint ?? null,
        bins: binsOf.get(index)!,
        side: size.side,
        source: pictures.key(pair.source),
        target: pictures.key(pair.target),
        points: pointsOf(matched.get(index)),
      };
    }
}

function pointsOf(item: MatchedPair | undefined): ItemPoint[] | null {
  if (!item) return null;
  const { pair, match } = item;
  return pair.points.map(({ name, source, target }, i) => ({
    id: name,
    source,
    target,
    cell: match.cells[i]!,
    found: match.found[i]!,
    similarity: match.similarities[i]!,
    error: match.errors[i]!,
    correct: match.errors[i]! < RECALL_THRESHOLD,
    pckError: match.pckErrors[i]!,
  }));
}
