/**
 * Frames of a video as a model's input, each whole and in its proportions: by DINO's protocol or by DINOv3's.
 *
 * DINO: the short side is what is asked for, the long one follows and is cut down to a multiple of 64. Where patches do not divide 64, or the short side is below it or
 * no whole number of them, both sides are cut down to whole patches. Resized as OpenCV does, red divided by a deviation of .228.
 * DINOv3: both sides are rounded up to whole patches, PIL's bicubic, ImageNet's statistics.
 */
import {
  IMAGENET_NORMALISATION,
  type ImageBatch,
  normalisationTable,
  normalise,
  type PixelImage,
  resizeBicubic,
} from '@franca/data';
import { TrainError } from '../errors';
import { resizeFixedPoint } from './fixed-point-bilinear';

export const VIDEO_PROTOCOLS = ['dino', 'dinov3'] as const;
export type VideoProtocol = (typeof VIDEO_PROTOCOLS)[number];

export interface FrameLook {
  readonly protocol: VideoProtocol;
  /** In pixels, as it is asked for. */
  readonly shortSide: number;
  readonly patchSize: number;
}

type Size = readonly [rows: number, columns: number];

const TABLES: Readonly<Record<VideoProtocol, Float32Array>> = {
  dino: normalisationTable({ ...IMAGENET_NORMALISATION, std: [0.228, 0.224, 0.225] }),
  dinov3: normalisationTable(IMAGENET_NORMALISATION),
};

const LONG_STEP = 64;

/** Of the short side by the protocol, and whether DINO's own rule for the long one holds. */
function shortSideOf({ protocol, shortSide, patchSize }: FrameLook): { readonly side: number; readonly step: number } {
  if (protocol === 'dinov3') return { side: Math.ceil(shortSide / patchSize) * patchSize, step: patchSize };
  const side = Math.floor(shortSide / patchSize) * patchSize;
  const isPublished = side === shortSide && side >= LONG_STEP && LONG_STEP % patchSize === 0;
  return { side, step: isPublished ? LONG_STEP : patchSize };
}

/**
 * Rows and columns of pixels that frames of a size are resized to; whole patches.
 * @throws TrainError `usage` where a side would have none
 */
export function inputSize([rows, columns]: Size, look: FrameLook): [rows: number, columns: number] {
  const { side, step } = shortSideOf(look);
  const round = look.protocol === 'dino' ? Math.floor : Math.ceil;
  const long = round((side * Math.max(rows, columns)) / Math.min(rows, columns) / step) * step;
  if (side === 0 || long === 0)
    throw new TrainError(
      'usage',
      `frames with a short side of ${look.shortSide} px have no whole patch of ${look.patchSize}; give a larger --size`,
    );
  return rows > columns ? [long, side] : [side, long];
}

/** For records and cache keys. */
export function describeFrames(look: FrameLook): string {
  const { side, step } = shortSideOf(look);
  if (look.protocol === 'dinov3')
    return `whole frames, short side ${side}, long side up to whole patches of ${step}, bicubic, ImageNet mean/std`;
  return `whole frames, short side ${side}, long side down to a multiple of ${step}, OpenCV's 8-bit bilinear, ImageNet mean/std with .228 for .229`;
}

/** What of the protocol's sizes does not hold with this patch size, in words. */
export function sizeNote(look: FrameLook): string | undefined {
  const { side, step } = shortSideOf(look);
  const { protocol, shortSide, patchSize } = look;
  if (side === shortSide && (protocol === 'dinov3' || step === LONG_STEP)) return undefined;
  const odd = side === shortSide ? '' : `${shortSide} px are no whole patches of ${patchSize}: ${side} px are taken`;
  const long =
    protocol === 'dino' && step !== LONG_STEP
      ? `the long side is a multiple of ${patchSize}, DINO's is one of ${LONG_STEP}`
      : '';
  return `frames: ${[odd, long].filter((text) => text !== '').join('; ')}`;
}

/** Normalised input [1, 3, rows, columns] of a frame. */
export function prepareFrame(image: PixelImage, look: FrameLook): ImageBatch {
  const [rows, columns] = inputSize([image.height, image.width], look);
  const resize = look.protocol === 'dino' ? resizeFixedPoint : resizeBicubic;
  const pixels = new Float32Array(3 * rows * columns);
  normalise(resize(image, columns, rows).data, TABLES[look.protocol], pixels);
  return { data: pixels, shape: [1, 3, rows, columns] };
}
