/** Which elements of what a value is: values overlap where a view, an update of state or a value that is written in place shares bytes with another. */
import { sizeOf } from '../base/shape';
import type { Storage, Tensor } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import { isSource, isState } from '../ops/sources';
import { ownerOf } from './owner';

/** Values that are written where they are stored: in which state, from which of its elements on. */
export type InPlace = ReadonlyMap<Tensor, { readonly into: Tensor; readonly offset: number }>;

export interface Range {
  /** The value that owns the bytes, or the name of a buffer of state. */
  readonly where: Storage | string;
  readonly first: number;
  readonly end: number;
}

/** Where a value lies; undefined for what nothing can write: inputs and constants. */
export function rangeOf(storage: Storage, inPlace: InPlace = new Map()): Range | undefined {
  const size = sizeOf(storage.shape);
  if (isScratch(storage)) return { where: storage, first: 0, end: size };
  const { owner, offset } = ownerOf(storage);
  const copy = inPlace.get(owner);
  if (copy) return stretchOf(rangeOf(copy.into)!, copy.offset + offset, size);
  const { node } = owner;
  if (isState(node)) {
    const first = node.attrs.offset + offset;
    return { where: `${node.attrs.group}/${node.attrs.buffer}`, first, end: first + size };
  }
  return isSource(node) ? undefined : { where: owner, first: offset, end: offset + size };
}

/** `size` elements of a range, from its element `offset` on. */
export const stretchOf = ({ where, first }: Range, offset: number, size: number): Range => ({
  where,
  first: first + offset,
  end: first + offset + size,
});

export const overlap = (a: Range, b: Range): boolean => a.where === b.where && a.first < b.end && b.first < a.end;
