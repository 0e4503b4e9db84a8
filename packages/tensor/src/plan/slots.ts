/** Slots for what the steps compute. Everything that is neither given nor written in place lives from its first step to its last. */
import { BINDING_ALIGNMENT } from '../base/target';
import { roundUp } from '../base/whole-numbers';
import type { Storage, Tensor } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import { isSource } from '../ops/sources';
import { bindingsOf, type Draft } from './draft';
import { assignSlots, byteSize, type Lifetime } from './memory';
import { ownerOf } from './owner';
import type { InPlace } from './range';

export interface Slots {
  /** Values that have a slot, and of each its life and the slot. */
  readonly stored: readonly Storage[];
  readonly lifetimes: readonly Lifetime[];
  readonly slotOf: ReadonlyMap<Storage, number>;
  readonly slotBytes: readonly number[];
}

/** `kept` are the tensors that are read after the last step. Unless `shareSlots`, every value has a slot of its own. */
export function planSlots(
  steps: readonly Draft[],
  kept: readonly Tensor[],
  inPlace: InPlace,
  shareSlots: boolean,
): Slots {
  const lives = new Map<Storage, { first: number; last: number }>();
  const touch = (storage: Storage, step: number): void => {
    const owner = isScratch(storage) ? storage : ownerOf(storage).owner;
    if (!isScratch(owner) && (isSource(owner.node) || inPlace.has(owner))) return;
    const life = lives.get(owner);
    if (life) life.last = step;
    else lives.set(owner, { first: step, last: step });
  };
  steps.forEach((draft, step) => {
    for (const { tensor } of bindingsOf(draft)) touch(tensor, step);
  });
  for (const tensor of kept) touch(tensor, steps.length);

  const stored = [...lives.keys()];
  const lifetimes = [...lives].map(([storage, life]) => ({
    bytes: roundUp(byteSize(storage), BINDING_ALIGNMENT),
    ...life,
  }));
  const { slots, slotBytes } = assignSlots(
    shareSlots ? lifetimes : lifetimes.map(({ bytes }) => ({ bytes, first: 0, last: steps.length })),
  );
  return { stored, lifetimes, slotBytes, slotOf: new Map(stored.map((storage, i) => [storage, slots[i]!])) };
}
