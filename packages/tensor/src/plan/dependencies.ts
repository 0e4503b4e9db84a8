/**
 * Which steps must come before which. A step waits for those before it that wrote what it reads or writes, and for those that read what it writes; a value comes back
 * after it was sent, and values are sent in the order in which they were recorded, which is the same on every rank.
 */
import { sizeOf } from '../base/shape';
import type { Draft } from './draft';
import type { InPlace } from './range';
import { overlap, type Range, rangeOf, stretchOf } from './range';

interface Access {
  readonly range: Range;
  readonly writes: boolean;
}

/** What a step reads and writes, to the element. */
export function accessesOf(draft: Draft, inPlace: InPlace): Access[] {
  const access = (writes: boolean, range: Range | undefined, stretch?: [offset: number, size: number]): Access[] => {
    if (!range) return [];
    return [{ writes, range: stretch ? stretchOf(range, ...stretch) : range }];
  };
  switch (draft.kind) {
    case 'kernel':
      return draft.kernel.bindings.flatMap(({ tensor, access: how }) =>
        access(how === 'read_write', rangeOf(tensor, inPlace)),
      );
    case 'copy': {
      const { from, into, offset } = draft;
      return [
        ...access(false, rangeOf(from, inPlace)),
        ...access(true, rangeOf(into, inPlace), [offset, sizeOf(from.shape)]),
      ];
    }
    case 'send': {
      const { from, fromOffset, sent } = draft.exchange;
      return access(false, rangeOf(from, inPlace), [fromOffset, sent]);
    }
    case 'receive': {
      const { into, intoOffset, received } = draft.exchange;
      return access(true, rangeOf(into, inPlace), [intoOffset, received]);
    }
  }
}

/** Of each step, those that must come before it, by their place in `drafts`. */
export function dependencies(drafts: readonly Draft[], inPlace: InPlace): number[][] {
  const accesses = new Map<Range['where'], { reads: [Range, number][]; writes: [Range, number][] }>();
  const sends = new Map<object, number>();
  let lastSend = -1;
  return drafts.map((draft, step) => {
    const before = new Set<number>();
    for (const { range, writes } of accessesOf(draft, inPlace)) {
      const known = accesses.get(range.where) ?? { reads: [], writes: [] };
      accesses.set(range.where, known);
      for (const list of writes ? [known.reads, known.writes] : [known.writes])
        for (const [other, at] of list) if (overlap(range, other)) before.add(at);
      known[writes ? 'writes' : 'reads'].push([range, step]);
    }
    if (draft.kind === 'receive') before.add(sends.get(draft.exchange)!);
    if (draft.kind === 'send') {
      if (lastSend >= 0) before.add(lastSend);
      sends.set(draft.exchange, step);
      lastSend = step;
    }
    before.delete(step);
    return [...before];
  });
}
