/** Depth maps as PNG files: one gray value a pixel, mostly of 16 bits, so many units a metre; 0 is no reading. */
import { DataError } from '@franca/data';
import { TrainError } from '../errors';
import type { DepthMap } from './depth-set';
import { decodePng } from './read-mask';

/**
 * @param path of the file that holds `bytes`, for messages
 * @param unitsPerMetre such as 1000 for millimetres
 * @throws DataError with an image code where this one file is damaged; TrainError `data` where it is a picture of a kind that holds no depth
 */
export function readDepthPng(bytes: Uint8Array, path: string, unitsPerMetre: number): DepthMap {
  const { width, height, channels, depth, palette, data } = decodePng(bytes, path);
  if (palette || channels !== 1 || depth < 8)
    throw new TrainError(
      'data',
      `${path} is ${palette ? 'a palette PNG' : `a PNG of ${channels} channels of ${depth} bits`}; depth is a gray PNG of 16 bits, one reading a pixel`,
    );
  if (data.length !== width * height)
    throw new DataError('corrupt-image', `${path} holds ${data.length} of ${width * height} readings`);
  return { width, height, data: Float32Array.from(data, (value) => value / unitsPerMetre) };
}
