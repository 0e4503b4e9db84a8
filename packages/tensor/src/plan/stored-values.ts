/**
 * Values that are computed only to be stored in a group are written there at once, without a copy. This holds unless the kernel that makes
 * them reads the same buffer (one dispatch may not read and write one buffer), or the value is needed under another address.
 */
import { sizeOf } from '../base/shape';
import type { Tensor } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import { isSource, isState } from '../ops/sources';
import { bindingsOf, type CopyDraft, type Draft } from './draft';
import { ownerOf } from './owner';

/** Values that are written where they are stored, each with the copy that it makes superfluous. */
export type InPlace = ReadonlyMap<Tensor, CopyDraft>;

export function placeStoredValues(drafts: readonly Draft[], kept: readonly Tensor[]): InPlace {
  const inPlace = new Map<Tensor, CopyDraft>();
  const stepsOf = stepsByValue(drafts);
  const keptOwners = new Set(kept.map((tensor) => ownerOf(tensor).owner));

  /** A dispatch that touches the value also binds its destination; two values of one kernel may go to disjoint places of one buffer. */
  const clashes = (value: Tensor, copy: CopyDraft): boolean => {
    const destination = stateBuffer(copy.into, inPlace);
    return stepsOf.get(value)!.some(
      (step) =>
        step !== copy &&
        bindingsOf(step).some(({ tensor, access }) => {
          if (isScratch(tensor)) return false;
          const { owner } = ownerOf(tensor);
          if (owner === value || stateBuffer(tensor, inPlace) !== destination) return false;
          return !(access === 'read_write' && inPlace.has(owner));
        }),
    );
  };

  for (const copy of drafts) {
    if (copy.kind !== 'copy') continue;
    const { owner, offset } = ownerOf(copy.from);
    const isWhole = offset === 0 && sizeOf(owner.shape) === sizeOf(copy.from.shape);
    if (!isWhole || isSource(owner.node) || inPlace.has(owner) || keptOwners.has(owner)) continue;
    if (!clashes(owner, copy)) inPlace.set(owner, copy);
  }
  return inPlace;
}

function stepsByValue(drafts: readonly Draft[]): ReadonlyMap<Tensor, Draft[]> {
  const steps = new Map<Tensor, Draft[]>();
  for (const draft of drafts) {
    for (const { tensor } of bindingsOf(draft)) {
      if (isScratch(tensor)) continue;
      const { owner } = ownerOf(tensor);
      const list = steps.get(owner);
      if (list) list.push(draft);
      else steps.set(owner, [draft]);
    }
  }
  return steps;
}

/** The buffer of state in which a tensor lies, if it does. */
function stateBuffer(tensor: Tensor, inPlace: InPlace): string | undefined {
  const { owner } = ownerOf(tensor);
  const into = inPlace.get(owner)?.into;
  const { node } = into ? ownerOf(into).owner : owner;
  return isState(node) ? `${node.attrs.group}/${node.attrs.buffer}` : undefined;
}
