/**
 * Values that are computed only to be stored in a group are written there at once, without a copy. This holds unless the kernel that makes
 * them reads the same buffer (one dispatch may not read and write one buffer), the value is needed under another address, or the place is used otherwise
 * between the moment when the value is computed and the last one when it is needed.
 */
import { sizeOf } from '../base/shape';
import type { Tensor } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import { isSource } from '../ops/sources';
import { accessesOf } from './dependencies';
import { bindingsOf, type CopyDraft, type Draft } from './draft';
import { ownerOf } from './owner';
import { type InPlace, overlap, type Range, rangeOf, stretchOf } from './range';

/** A step that reads or writes elements of a buffer of state. */
interface Use {
  readonly step: number;
  readonly range: Range;
  readonly writes: boolean;
}

export function placeStoredValues(drafts: readonly Draft[], kept: readonly Tensor[]): InPlace {
  const inPlace = new Map<Tensor, CopyDraft>();
  const stepsOf = stepsByValue(drafts);
  const keptOwners = new Set(kept.map((tensor) => ownerOf(tensor).owner));
  const usesOf = usesOfState(drafts);

  /** A dispatch that touches the value also binds its destination; two values of one kernel may go to disjoint places of one buffer. */
  const clashes = (value: Tensor, copyStep: number, { where }: Range): boolean =>
    stepsOf.get(value)!.some(
      (step) =>
        step !== copyStep &&
        bindingsOf(drafts[step]!).some(({ tensor, access }) => {
          if (isScratch(tensor)) return false;
          const { owner } = ownerOf(tensor);
          if (owner === value || rangeOf(tensor, inPlace)?.where !== where) return false;
          return !(access === 'read_write' && inPlace.has(owner));
        }),
    );

  /** Something reads or writes the destination before the value would have been copied there, or writes it while the value is still needed. */
  const isDisturbed = (value: Tensor, copyStep: number, destination: Range): boolean => {
    const [first, last] = [stepsOf.get(value)![0]!, stepsOf.get(value)!.at(-1)!];
    return usesOf(destination).some(
      ({ step, range, writes }) =>
        step > first &&
        step !== copyStep &&
        (step < copyStep || (writes && step < last)) &&
        overlap(range, destination),
    );
  };

  drafts.forEach((copy, step) => {
    if (copy.kind !== 'copy') return;
    const { owner, offset } = ownerOf(copy.from);
    const size = sizeOf(copy.from.shape);
    const isWhole = offset === 0 && sizeOf(owner.shape) === size;
    if (!isWhole || isSource(owner.node) || inPlace.has(owner) || keptOwners.has(owner)) return;
    const destination = stretchOf(rangeOf(copy.into)!, copy.offset, size);
    if (clashes(owner, step, destination) || isDisturbed(owner, step, destination)) return;
    inPlace.set(owner, copy);
    for (const at of stepsOf.get(owner)!) usesOf(destination).push({ step: at, range: destination, writes: true });
  });
  return inPlace;
}

/** The steps that touch each value, in order. */
function stepsByValue(drafts: readonly Draft[]): ReadonlyMap<Tensor, number[]> {
  const steps = new Map<Tensor, number[]>();
  drafts.forEach((draft, step) => {
    const owners = bindingsOf(draft).flatMap(({ tensor }) => (isScratch(tensor) ? [] : [ownerOf(tensor).owner]));
    for (const owner of new Set(owners)) {
      const list = steps.get(owner);
      if (list) list.push(step);
      else steps.set(owner, [step]);
    }
  });
  return steps;
}

/** The uses of the buffer of state in which a range lies, to add to. */
function usesOfState(drafts: readonly Draft[]): (range: Range) => Use[] {
  const uses = new Map<Range['where'], Use[]>();
  const listOf = ({ where }: Range): Use[] => {
    const list = uses.get(where) ?? [];
    uses.set(where, list);
    return list;
  };
  drafts.forEach((draft, step) => {
    for (const { range, writes } of accessesOf(draft, new Map()))
      if (typeof range.where === 'string') listOf(range).push({ step, range, writes });
  });
  return listOf;
}
