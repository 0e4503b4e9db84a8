export type { PixelImage } from './image';
export { createRandom, permutation, philox4x32, type Random, type RandomState } from './random';
