/**
 * How large the pieces are in which prototypes are worked through. Half of what the adapter binds at once, and no more than 256 MiB: for 131,072 prototypes that
 * saves a fifth of a step's kernels against the 64 MiB that fit everywhere; larger pieces save little more and cost memory.
 */
import type { ChunkOptions } from '@franca/nn';
import type { Target } from '@franca/tensor';

const LARGEST_CHUNK = 2 ** 28;

export const prototypeChunks = ({ maxBindingBytes }: Pick<Target, 'maxBindingBytes'>): ChunkOptions => ({
  chunkBytes: Math.min(LARGEST_CHUNK, maxBindingBytes / 2),
});
