/** A view's parameters as the record that the kernels read: `struct View` of `gpu-kernels.ts`, field by field. */

import type { PixelImage } from '../images/image';
import type { JitterStep } from './color-jitter';
import { BLUR_RADIUS, gaussianKernel } from './gaussian-blur';
import { VIEW_WORDS } from './gpu-kernels';
import { hueShift } from './hue';
import type { ViewParams } from './view-params';

const STEP_CODES: Readonly<Record<JitterStep, number>> = { brightness: 1, contrast: 2, saturation: 3, hue: 4 };

/** Threshold that no byte reaches. */
const NEVER = 256;

/** Where the parts of a view lie in the buffers. */
export interface ViewPlacement {
  /** Byte offset of the image among the uploaded images. */
  imageByte: number;
  /** Word offset of the view's rows between the two resize passes. */
  narrowed: number;
  /** Slot of the result. */
  slot: number;
}

/** Fills the `VIEW_WORDS` words of one record: `words` and `floats` are two views of the same bytes. */
export function writeViewRecord(
  words: Uint32Array,
  floats: Float32Array,
  image: PixelImage,
  params: ViewParams,
  place: ViewPlacement,
): void {
  const { box, jitter, blurSigma } = params;
  const steps = jitter ? jitter.order.reduce((code, step, i) => code | (STEP_CODES[step] << (4 * i)), 0) : 0;
  words.set([place.imageByte, image.width * image.channels, image.channels, box.left, box.top, box.width, box.height]);
  words.set([Number(params.flip), place.narrowed, steps], 7);
  floats.set([jitter?.brightness ?? 1, jitter?.contrast ?? 1, jitter?.saturation ?? 1], 10);
  words.set([hueShift(jitter?.hue ?? 0), Number(params.grayscale), params.solarize ?? NEVER, place.slot], 13);
  const radius = blurSigma === null ? 0 : BLUR_RADIUS;
  words[17] = radius;
  floats.set(blurSigma === null ? [1] : gaussianKernel(blurSigma, radius), 18);
}

/** A record's words and floats inside a batch of records. */
export function recordAt(records: ArrayBuffer, index: number): [Uint32Array, Float32Array] {
  const offset = index * VIEW_WORDS * 4;
  return [new Uint32Array(records, offset, VIEW_WORDS), new Float32Array(records, offset, VIEW_WORDS)];
}
