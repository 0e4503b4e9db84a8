/**
 * What a small batch changes: fewer prototypes and a colder teacher. The official settings assume about 2048 images per update on many devices. The learning rate follows the batch by the
 * official rule, base_lr sqrt(total / 1024). Two more things depend on the images n that Sinkhorn-Knopp sees together (one micro-step on all devices):
 *
 * - Prototypes. Balanced targets give every prototype the same mass, so 131,072 of them over a few dozen images spread each target over hundreds: K is
 *   at most 64 n, the official ratio 131072 / 2048, rounded down to a power of two and never below 512.
 * - Teacher temperature. A hot teacher is what makes small runs drift to uniform targets (DINO's advice is to raise 0.04 only where training is
 *   stable): the final temperature goes from its start value at n <= 32 to the configured one at n >= 1024, in proportion to log n.
 */
const PROTOTYPES_PER_IMAGE = 64;
const FEWEST_PROTOTYPES = 512;
const COLDEST_AT = 32;
const OFFICIAL_FROM = 1024;

/** Prototypes for n images, given the configured number. */
export function prototypesFor(configured: number, n: number): number {
  const most = 2 ** Math.floor(Math.log2(PROTOTYPES_PER_IMAGE * n));
  return Math.min(configured, Math.max(most, FEWEST_PROTOTYPES));
}

/** Final teacher temperature for n images, given the configured start and end. */
export function teacherTempFor(start: number, end: number, n: number): number {
  const position = Math.log(n / COLDEST_AT) / Math.log(OFFICIAL_FROM / COLDEST_AT);
  return start + (end - start) * Math.min(1, Math.max(0, position));
}
