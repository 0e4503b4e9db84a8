/** Which prototypes images choose first: how often since the start, and what share of them is in use. */
export interface PrototypeUsage {
  /** How often each was some image's first choice since the start. */
  readonly counts: Uint32Array;
  /** Counts first choices. */
  choose(prototypes: ArrayLike<number>): void;
  /** Share of the prototypes that were chosen since the last call, of those that could be: at most one per image looked at. */
  shareInUse(): number;
}

export function createPrototypeUsage(prototypes: number): PrototypeUsage {
  const counts = new Uint32Array(prototypes);
  let recent = new Set<number>();
  let chosen = 0;
  return {
    counts,
    choose(choices) {
      chosen += choices.length;
      for (const prototype of Array.from(choices)) {
        counts[prototype]!++;
        recent.add(prototype);
      }
    },
    shareInUse() {
      const share = recent.size / Math.max(1, Math.min(counts.length, chosen));
      recent = new Set();
      chosen = 0;
      return share;
    },
  };
}
