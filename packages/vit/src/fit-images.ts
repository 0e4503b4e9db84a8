/**
 * Images made to fit where their sides are no multiples of the patch size. They are cropped about the centre, or padded with zeros (the mean,
 * once normalised) at the bottom right.
 */
import { VitError } from './errors';

export interface ImageBatch {
  /** [B, 3, H, W], normalised. */
  readonly data: Float32Array;
  readonly shape: readonly [B: number, C: number, H: number, W: number];
}

/** Crops or pads to the next multiple of `patchSize`. Throws `VitError` if nothing would be left. */
export function fitImages(
  { data, shape: [B, C, H, W] }: ImageBatch,
  patchSize: number,
  mode: 'crop' | 'pad',
): ImageBatch {
  const fit = (side: number) =>
    (mode === 'crop' ? Math.floor(side / patchSize) : Math.ceil(side / patchSize)) * patchSize;
  const [h, w] = [fit(H), fit(W)];
  if (h === 0 || w === 0)
    throw new VitError(
      'image-size',
      `images of ${H} x ${W} pixels are smaller than one patch of ${patchSize}; pad them instead`,
    );
  const [top, left] = mode === 'crop' ? [(H - h) >> 1, (W - w) >> 1] : [0, 0];
  const out = new Float32Array(B * C * h * w);
  const [rows, columns] = [Math.min(h, H), Math.min(w, W)];
  for (let plane = 0; plane < B * C; plane++) {
    for (let y = 0; y < rows; y++) {
      const from = (plane * H + y + top) * W + left;
      out.set(data.subarray(from, from + columns), (plane * h + y) * w);
    }
  }
  return { data: out, shape: [B, C, h, w] };
}
