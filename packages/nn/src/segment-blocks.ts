/** Which parameter each block of 128 elements of a flat window belongs to. Segments start at multiples of 128, so no block has two. */
import { type GroupLayout, SEGMENT_ALIGNMENT, sizeOf, type Window } from '@franca/tensor';

/** Parameter of every block of 128 elements of a window. */
export function blockParameters(layout: GroupLayout, window: Window): Uint32Array {
  const blocks = new Uint32Array(window.elements / SEGMENT_ALIGNMENT);
  Object.values(layout.segments).forEach((segment, parameter) => {
    const { first, end } = blockRange(segment, window);
    if (end > first) blocks.fill(parameter, first, end);
  });
  return blocks;
}

/** The blocks of a window that belong to a segment. */
export function blockRange(
  segment: { buffer: number; offset: number; shape: readonly number[] },
  window: Window,
): { first: number; end: number } {
  if (segment.buffer !== window.buffer) return { first: 0, end: 0 };
  const first = Math.max(segment.offset - window.offset, 0) / SEGMENT_ALIGNMENT;
  const end =
    Math.min(
      segment.offset + Math.ceil(sizeOf(segment.shape) / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT - window.offset,
      window.elements,
    ) / SEGMENT_ALIGNMENT;
  return { first, end: Math.max(end, first) };
}
