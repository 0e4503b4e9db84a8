/** Pictures as pixels: a decoded 8-bit image, and a batch of normalised ones. */
import { checkArgument, DataError } from '../errors';

/** A decoded 8-bit image: rows from top to bottom, channels interleaved, nothing between rows. `@franca/viz` draws the same. */
export interface PixelImage {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** 3 is RGB; 4 is RGB and a fourth byte that is ignored, the layout the GPU path uploads. */
  readonly channels: 3 | 4;
  /** `height * width * channels` bytes. */
  readonly data: Uint8Array;
}

/** Normalised images of one size, as a model of `@franca/vit` takes them. */
export interface ImageBatch {
  /** `[B, 3, H, W]`. */
  readonly data: Float32Array;
  readonly shape: readonly [B: number, C: number, H: number, W: number];
}

/** @throws DataError bad-argument unless the bytes are those of a picture of that size with 3 or 4 channels */
export function checkPixels(image: PixelImage): void {
  checkArgument('pixels', 'image', image, 'object');
  const { width, height, channels, data } = image;
  const isWhole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  checkArgument('pixels', 'image.data', data, 'Uint8Array');
  if (isWhole && (channels === 3 || channels === 4) && data.length === width * height * channels) return;
  throw new DataError(
    'bad-argument',
    `${data.length} bytes are not a picture of ${width} x ${height} pixels with ${channels} channels; ` +
      'give width * height * channels bytes, with 3 channels (RGB) or 4 (the fourth is ignored)',
  );
}
