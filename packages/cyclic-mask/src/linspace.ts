/**
 * Equally spaced f32 values, rounded as PyTorch's CPU kernel rounds them. Values are counted from the nearer end, in
 * vectors of eight lanes taken two at a time, where only lane 0 is computed from its index and the others add lane * step.
 * A last bit decides whether floor(N * edge) is one patch more or less, so an upper bound that agrees with the official
 * one needs the same bits.
 */

const LANES = 8;

/** `steps` values from `start` to `end`; at least 1. */
export function linspaceF32(start: number, end: number, steps: number): number[] {
  const [first, last] = [Math.fround(start), Math.fround(end)];
  if (steps === 1) return [first];
  const step = Math.fround(Math.fround(last - first) / (steps - 1));
  const scalar = (i: number) =>
    i < steps >> 1
      ? Math.fround(first + Math.fround(step * i))
      : Math.fround(last - Math.fround(step * (steps - 1 - i)));
  const vectorised = steps - (steps % (2 * LANES));
  return Array.from({ length: steps }, (_, i) => {
    const lane = i < vectorised ? i % LANES : 0;
    return Math.fround(scalar(i - lane) + Math.fround(step * lane));
  });
}
