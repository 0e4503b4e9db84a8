/** Which of several files that follow each other an image is in. */

/** The first place in `ends`, which ascend, whose value is above `index`: of parts that end there the one that holds it, never an empty one. */
export function firstAbove(ends: Float64Array, index: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! > index) high = middle;
    else low = middle + 1;
  }
  return low;
}
