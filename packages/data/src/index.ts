export { DataError, type DataErrorCode, type ImageErrorCode, isImageError } from './data-error';
export type { PixelImage } from './image';
export type { ImageContent, ImageSource } from './image-source';
export { createRandom, permutation, philox4x32, type Random, type RandomState } from './random';
