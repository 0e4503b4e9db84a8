/**
 * Groups: the images that masks, kept samples and KoLeo's neighbours are drawn among, officially those of one GPU. R ranks with b images each have the images 0..R b - 1
 * of a micro-step, rank r those from r b on; they are cut, in order, into groups of g, whoever holds them. So what is drawn does not depend on the number of ranks.
 * Where g divides b every rank has whole groups, else parts of them.
 */
import type { BatchSize } from './options';

type Batch = Pick<BatchSize, 'perDevice' | 'group'>;

/** The images of a group that one rank holds. */
export interface GroupPart {
  /** Which group of the micro-step, from 0. */
  readonly group: number;
  /** Its images [first, end), counted within the group. */
  readonly first: number;
  readonly end: number;
  /** Where the first of them is among the images of the rank. */
  readonly at: number;
}

/** What a rank holds, in order. */
export function groupParts({ perDevice: b, group: g }: Batch, rank: number): GroupPart[] {
  const [start, stop] = [rank * b, (rank + 1) * b];
  const groups = Array.from(
    { length: Math.ceil(stop / g) - Math.floor(start / g) },
    (_, i) => Math.floor(start / g) + i,
  );
  return groups.map((group) => {
    const first = Math.max(0, start - group * g);
    return { group, first, end: Math.min(g, stop - group * g), at: group * g + first - start };
  });
}

/** Whether ranks hold whole groups only. */
export const wholeGroups = ({ perDevice, group }: Batch): boolean => perDevice % group === 0;

/** Row among the rank's samples (crop by crop, b of each) of a sample of a group (crop by crop, g of each); undefined if another rank holds it. */
export function rowOf(
  sample: number,
  { first, end, at }: GroupPart,
  { perDevice: b, group: g }: Batch,
): number | undefined {
  const image = sample % g;
  return image >= first && image < end ? Math.floor(sample / g) * b + at + image - first : undefined;
}

/** The most that a rank of `size` can have, where it has up to `most(n)` with n images of a group: a length of lists for all of them. */
export function mostOnARank(batch: Batch, size: number, most: (images: number) => number): number {
  const onRank = (rank: number): number =>
    groupParts(batch, rank).reduce((sum, { first, end }) => sum + most(end - first), 0);
  return Math.max(...Array.from({ length: size }, (_, rank) => onRank(rank)));
}
