/** From bytes to a normalised tensor: `(v / 255 - mean) / std`, by a table of all bytes. */
import { checkArgument, DataError } from '../errors';

/** Per-channel statistics in units of full scale; `@franca/viz`, which undoes it, has the same. */
export interface Normalisation {
  readonly mean: readonly [red: number, green: number, blue: number];
  readonly std: readonly [red: number, green: number, blue: number];
}

/** ImageNet's channel statistics as torchvision has them, which the official models expect. */
export const IMAGENET_NORMALISATION: Normalisation = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

const float = Math.fround;

/** Normalised value of every byte, `[3, 256]`, in single precision steps as ToTensor and Normalize compute them. */
export function normalisationTable(normalisation: Normalisation): Float32Array {
  checkArgument('normalisation', 'what was given', normalisation, 'object');
  const { mean, std } = normalisation;
  checkArgument('normalisation', 'mean', mean, 'numbers');
  checkArgument('normalisation', 'std', std, 'numbers');
  return Float32Array.from({ length: 3 * 256 }, (_, i) => {
    const channel = i >> 8;
    return float(float((i & 255) / 255) - float(mean[channel]!)) / float(std[channel]!);
  });
}

/**
 * Turns bytes into a normalised tensor.
 * @param pixels RGB `[h, w, 3]`
 * @param table from `normalisationTable`
 * @param output receives `[3, h, w]`
 * @throws DataError bad-argument when the output has another length
 */
export function normalise(pixels: Uint8Array, table: Float32Array, output: Float32Array): Float32Array {
  checkArgument('normalise', 'pixels', pixels, 'Uint8Array');
  checkArgument('normalise', 'table', table, 'Float32Array');
  checkArgument('normalise', 'output', output, 'Float32Array');
  if (output.length !== pixels.length)
    throw new DataError(
      'bad-argument',
      `${output.length} numbers do not hold the pixels: the output needs ${pixels.length}`,
    );
  const plane = pixels.length / 3;
  for (let i = 0, from = 0; i < plane; i++, from += 3) {
    output[i] = table[pixels[from]!]!;
    output[plane + i] = table[256 + pixels[from + 1]!]!;
    output[2 * plane + i] = table[512 + pixels[from + 2]!]!;
  }
  return output;
}
