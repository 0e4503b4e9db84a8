/** From bytes to a normalised tensor: `(v / 255 - mean) / std`, by a table of all bytes. */

/** Per-channel statistics in units of full scale. */
export interface Normalisation {
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
}

/** ImageNet's channel statistics, which the official models expect. */
export const IMAGENET_NORMALISATION: Normalisation = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

const float = Math.fround;

/** Normalised value of every byte, `[3, 256]`, in single precision steps as ToTensor and Normalize compute them. */
export function normalisationTable({ mean, std }: Normalisation): Float32Array {
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
 */
export function normalise(pixels: Uint8Array, table: Float32Array, output: Float32Array): Float32Array {
  const plane = pixels.length / 3;
  for (let i = 0, from = 0; i < plane; i++, from += 3) {
    output[i] = table[pixels[from]!]!;
    output[plane + i] = table[256 + pixels[from + 1]!]!;
    output[2 * plane + i] = table[512 + pixels[from + 2]!]!;
  }
  return output;
}
