/**
 * Which values share memory: slots by lifetime, and the peak of live bytes. Every intermediate value lives from the kernel that writes it
 * to the last that reads it. Values whose lives do not overlap share a slot. Slots are separate buffers because WebGPU refuses a buffer
 * that one dispatch both reads and writes, even at disjoint ranges. Largest first, each value takes the tightest free slot (greedy by size,
 * Pisarchyk & Lee 2020, "Efficient memory management for deep neural net inference", section 4): close to the lower bound, the peak of live
 * bytes.
 */
import { BYTES_PER_ELEMENT } from '../base/dtype';
import { sizeOf } from '../base/shape';
import { roundUp } from '../base/whole-numbers';
import type { Spec } from '../graph/op';

/** Bytes a value takes, rounded up so that vectors of four can be read at its end. */
export const byteSize = ({ shape, dtype }: Spec): number => roundUp(sizeOf(shape) * BYTES_PER_ELEMENT[dtype], 16);

export interface Lifetime {
  readonly bytes: number;
  /** Index of the first and last step that touches the value, inclusive. */
  readonly first: number;
  readonly last: number;
}

export interface SlotAssignment {
  /** Slot of each lifetime, in input order. */
  readonly slots: readonly number[];
  readonly slotBytes: readonly number[];
}

export function assignSlots(lifetimes: readonly Lifetime[]): SlotAssignment {
  const order = lifetimes
    .map((_, i) => i)
    .sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || lifetimes[a]!.first - lifetimes[b]!.first);
  const slots = new Array<number>(lifetimes.length);
  const slotBytes: number[] = [];
  const occupants: Lifetime[][] = [];
  for (const index of order) {
    const life = lifetimes[index]!;
    let best = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    occupants.forEach((list, slot) => {
      const gap = gapAround(list, life);
      if (gap < bestGap) {
        best = slot;
        bestGap = gap;
      }
    });
    if (best < 0) {
      best = slotBytes.push(life.bytes) - 1;
      occupants.push([]);
    }
    occupants[best]!.push(life);
    slots[index] = best;
  }
  return { slots, slotBytes };
}

/** Idle steps between `life` and its neighbours in a slot; infinite if they overlap. */
function gapAround(list: readonly Lifetime[], life: Lifetime): number {
  let before = 1e9;
  let after = 1e9;
  for (const other of list) {
    if (other.first <= life.last && life.first <= other.last) return Number.POSITIVE_INFINITY;
    if (other.last < life.first) before = Math.min(before, life.first - other.last);
    else after = Math.min(after, other.first - life.last);
  }
  return Math.min(before, after);
}

/** The largest total of bytes alive at one step, and which step. */
export function peakOf(lifetimes: readonly Lifetime[], steps: number): { bytes: number; step: number } {
  const change = new Float64Array(steps + 1);
  for (const { bytes, first, last } of lifetimes) {
    change[first]! += bytes;
    change[last + 1]! -= bytes;
  }
  let live = 0;
  let peak = { bytes: 0, step: 0 };
  for (let step = 0; step < steps; step++) {
    live += change[step]!;
    if (live > peak.bytes) peak = { bytes: live, step };
  }
  return peak;
}
