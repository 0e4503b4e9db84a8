/**
 * From a decoded image to the model's input. `crop`: shorter side resized, centre cut out, as for classification. `squash`: the whole image resized to a
 * square, as the dense evaluations do so that image and mask stay in step. `random-crop`: a crop drawn anew for each pass, `random-view`: crop, colours, flips and rotation. `pad-square`: made square by white
 * right and below, then resized, which keeps its proportions and the places of its key points. `depth`: the middle square or all of it, seen by picture and depth alike. Resizing is PIL's bicubic where nothing else is said, masks take
 * the nearest pixel.
 */
import {
  IMAGENET_NORMALISATION,
  type Normalisation,
  normalisationTable,
  normalise,
  type PixelImage,
  preprocessInto,
  resizeBicubic,
  resizeBilinear,
} from '@franca/data';
import { type CropDraw, cropPicture, drawCrop } from './crops';
import { type DepthView, depthPicture, describeDepthView } from './depth-view';
import type { Nearest } from './mask-pixels';
import { type RandomViewDraw, randomView } from './random-view';

export type Preparation =
  | { readonly kind: 'crop'; readonly resize: number; readonly size: number }
  | ({ readonly kind: 'squash'; readonly size: number } & DenseLook)
  | ({ readonly kind: 'random-crop'; readonly size: number; readonly draw: CropDraw } & DenseLook)
  | {
      readonly kind: 'random-view';
      readonly size: number;
      readonly draw: RandomViewDraw;
      readonly statistics?: DenseLook['statistics'];
    }
  | DepthPreparation
  | {
      readonly kind: 'pad-square';
      /** Side of the input. */
      readonly size: number;
      /** Side that the square is resized to; what is left of the input is zeros around it. */
      readonly side: number;
    };

/** A view of a picture with depth, at a size of its own. */
export interface DepthPreparation {
  readonly kind: 'depth';
  readonly view: DepthView;
  /** What the view is resized to. */
  readonly sides: Sides;
  /** The model's input; what is more than `sides` is zeros around it. */
  readonly input: Sides;
  /** Mirrored left to right. */
  readonly flip: boolean;
}

export type Sides = readonly [rows: number, columns: number];

/** Rows and columns of the model's input in pixels. */
export const inputSides = (preparation: Preparation): Sides =>
  preparation.kind === 'depth' ? preparation.input : [preparation.size, preparation.size];

/** How an evaluation of patches looks at pictures and masks. */
export interface DenseLook {
  /** Default bicubic. */
  readonly filter?: 'bicubic' | 'bilinear';
  /** `hummingbird`: ImageNet's with .255 in place of .225, as the reference has it. Default `imagenet`. */
  readonly statistics?: keyof typeof STATISTICS;
  /** Which pixel a mask takes; default that under the centre. */
  readonly nearest?: Nearest;
}

const STATISTICS: Readonly<Record<'imagenet' | 'hummingbird', Normalisation>> = {
  imagenet: IMAGENET_NORMALISATION,
  hummingbird: { ...IMAGENET_NORMALISATION, std: [0.229, 0.224, 0.255] },
};
const STATISTICS_NAMES = {
  imagenet: 'ImageNet mean/std',
  hummingbird: 'ImageNet mean/std with .255 for .225',
} as const;

/** For records and cache keys. */
export function describePreparation(preparation: Preparation): string {
  if (preparation.kind === 'crop')
    return `shorter side ${preparation.resize} bicubic, centre ${preparation.size}, ImageNet mean/std`;
  if (preparation.kind === 'pad-square') {
    const { side, size } = preparation;
    const margin = side === size ? '' : `, zeros around to ${size} x ${size}`;
    return `padded right and below with 255 to a square, ${side} x ${side} bicubic, ImageNet mean/std${margin}`;
  }
  if (preparation.kind === 'depth') {
    const { view, sides, input, flip } = preparation;
    const margin = sides.join() === input.join() ? '' : `, zeros around to ${input[1]} x ${input[0]}`;
    const mirrored = flip ? ', mirrored' : '';
    return `${describeDepthView(view)}, ${sides[1]} x ${sides[0]} bicubic, ImageNet mean/std${margin}${mirrored}`;
  }
  if (preparation.kind === 'random-view') {
    const { size, draw, statistics = 'imagenet' } = preparation;
    return `random views of ${size} x ${size} (seed ${draw.seed}, pass ${draw.pass}) bilinear, ${STATISTICS_NAMES[statistics]}`;
  }
  const { kind, size, filter = 'bicubic', nearest = 'centre' } = preparation;
  const masks = nearest === 'centre' ? 'mask nearest' : 'mask nearest (corner)';
  const statistics = STATISTICS_NAMES[preparation.statistics ?? 'imagenet'];
  if (kind === 'squash') return `squashed to ${size} x ${size} ${filter}, ${masks}, ${statistics}`;
  const { recipe, seed, pass } = preparation.draw;
  return `${recipe.name} crops of ${size} x ${size} (seed ${seed}, pass ${pass}) ${recipe.filter ?? 'bilinear'}, ${masks}, ${statistics}`;
}

/** Side of the input that a model is evaluated at by default: what its positions are made for, at most 224 px, in whole patches. */
export function defaultSize({ imgSize, patchSize }: { imgSize: number; patchSize: number }): number {
  return Math.max(patchSize, Math.floor(Math.min(imgSize, 224) / patchSize) * patchSize);
}

/** The usual protocol at any size: 256 for 224. */
export const centreCrop = (size: number): Preparation & { readonly kind: 'crop' } => ({
  kind: 'crop',
  resize: Math.round((size * 8) / 7),
  size,
});

/** The side in whole patches that is nearest to `side`. */
export const wholePatches = (side: number, patchSize: number): number =>
  Math.max(1, Math.round(side / patchSize)) * patchSize;

/** Normalised input [3, rows, columns] of the image with number `index`, written to `output`. */
export function prepare(image: PixelImage, preparation: Preparation, output: Float32Array, index = 0): void {
  if (preparation.kind === 'depth') prepareDepth(image, preparation, output, index);
  else if (preparation.kind === 'crop')
    preprocessInto(output, image, { resize: preparation.resize, crop: preparation.size });
  else if (preparation.kind === 'pad-square') padSquare(image, preparation, output);
  else {
    const table = normalisationTable(STATISTICS[preparation.statistics ?? 'imagenet']);
    normalise(densePixels(image, preparation, index).data, table, output);
  }
}

function prepareDepth(
  image: PixelImage,
  { view, sides: [rows, columns], input, flip }: DepthPreparation,
  output: Float32Array,
  index: number,
): void {
  const seen = depthPicture(image, view, index);
  const isWhole = seen.width === columns && seen.height === rows && !flip && seen.channels === 3;
  const whole = { left: 0, top: 0, width: seen.width, height: seen.height };
  const { data } = isWhole ? seen : resizeBicubic(seen, columns, rows, { box: whole, flip });
  const inner = new Float32Array(3 * rows * columns);
  normalise(data, normalisationTable(IMAGENET_NORMALISATION), inner);
  placeInside(inner, [rows, columns], input, output);
}

/** [3, ...sides] in the middle of zeros [3, ...input]; of an odd margin the smaller part lies first. */
function placeInside(inner: Float32Array, sides: Sides, input: Sides, output: Float32Array): void {
  output.fill(0);
  const [top, left] = [Math.floor((input[0] - sides[0]) / 2), Math.floor((input[1] - sides[1]) / 2)];
  for (let row = 0; row < 3 * sides[0]; row++) {
    const [channel, y] = [Math.floor(row / sides[0]), row % sides[0]];
    const from = row * sides[1];
    output.set(inner.subarray(from, from + sides[1]), (channel * input[0] + top + y) * input[1] + left);
  }
}

function densePixels(
  image: PixelImage,
  preparation: Preparation & { kind: 'squash' | 'random-crop' | 'random-view' },
  index: number,
): PixelImage {
  const { size } = preparation;
  if (preparation.kind === 'random-view') return randomView(image, preparation.draw, index, size);
  if (preparation.kind === 'random-crop') {
    const { draw } = preparation;
    return cropPicture(image, drawCrop(draw, index, image), size, draw.recipe.filter);
  }
  return preparation.filter === 'bilinear' ? resizeBilinear(image, size, size) : resizeBicubic(image, size, size);
}

function padSquare(
  image: PixelImage,
  { size, side }: Preparation & { kind: 'pad-square' },
  output: Float32Array,
): void {
  const inner = new Float32Array(3 * side * side);
  normalise(resizeBicubic(square(image), side, side).data, normalisationTable(IMAGENET_NORMALISATION), inner);
  placeInside(inner, [side, side], [size, size], output);
}

/** The picture at the top left of a white square of its longer side. */
function square({ width, height, channels, data }: PixelImage): PixelImage {
  const longer = Math.max(width, height);
  if (width === height) return { width, height, channels, data };
  const padded = new Uint8Array(longer * longer * channels).fill(255);
  for (let y = 0; y < height; y++)
    padded.set(data.subarray(y * width * channels, (y + 1) * width * channels), y * longer * channels);
  return { width: longer, height: longer, channels, data: padded };
}
