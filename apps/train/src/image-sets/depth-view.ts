/**
 * The part of a picture and of its depth that a depth probe sees: the middle square, or all of it, and while it learns a random part of that.
 *
 * Probe3D's augmentation: colours jittered in 0.8 of the pictures (brightness, contrast, saturation and hue by up to 0.2, in an order that is drawn); in half of them a
 * square of half to all of the area takes the place of the view, enlarged by the nearest pixel in picture and depth alike. What is drawn for a picture is a function of (seed, pass,
 * picture), so that picture and depth, which are read apart, are cut by one draw, and a run that is repeated sees the same ones.
 */
import {
  type Box,
  colorJitter,
  createRandom,
  JITTER_STEPS,
  type Jitter,
  type PixelImage,
  permutation,
  type Random,
  randomResizedCrop,
  resizeBicubic,
} from '@franca/data';
import type { DepthMap } from './depth-set';
import { nearestPixel } from './mask-pixels';

export interface DepthView {
  readonly crop: 'square' | 'none';
  /** Absent: the view as it is. */
  readonly draw?: { readonly seed: number; readonly pass: number };
}

interface Extent {
  readonly width: number;
  readonly height: number;
}

const JITTER = 0.2;
const [JITTER_PROBABILITY, CROP_PROBABILITY] = [0.8, 0.5];
const SCALE = [0.5, 1] as const;

/** For records and cache keys. */
export function describeDepthView({ crop, draw }: DepthView): string {
  const part = crop === 'square' ? 'middle square' : 'whole picture';
  return draw ? `${part}, random crops and colours of Probe3D (seed ${draw.seed}, pass ${draw.pass})` : part;
}

/** The pixels of the view without a draw; NYU's 640 x 480 lose 80 columns on each side. */
export function viewBox({ crop }: Pick<DepthView, 'crop'>, { width, height }: Extent): Box {
  if (crop === 'none') return { left: 0, top: 0, width, height };
  const side = Math.min(width, height);
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), width: side, height: side };
}

/** The view of the picture with number `image` of a set, as RGB. */
export function depthPicture(picture: PixelImage, view: DepthView, image: number): PixelImage {
  const box = viewBox(view, picture);
  const cut = cutOut(picture, box);
  if (!view.draw) return cut;
  const { jitter, inner } = drawPart(view.draw, image, box);
  if (jitter) colorJitter(cut.data, jitter);
  return inner ? enlarged(cut, inner) : cut;
}

/** The same of its depth, at `size`: the nearest reading. */
export function depthOfView(
  depth: DepthMap,
  view: DepthView,
  image: number,
  [rows, columns]: readonly [rows: number, columns: number],
): Float32Array {
  const box = viewBox(view, depth);
  const { inner } = view.draw ? drawPart(view.draw, image, box) : { inner: undefined };
  const part = inner ?? { left: 0, top: 0, width: box.width, height: box.height };
  const output = new Float32Array(rows * columns);
  const across = Array.from(
    { length: columns },
    (_, x) => box.left + part.left + nearestPixel(x, part.width, columns, 'centre'),
  );
  for (let y = 0, i = 0; y < rows; y++) {
    const from = (box.top + part.top + nearestPixel(y, part.height, rows, 'centre')) * depth.width;
    for (let x = 0; x < columns; x++, i++) output[i] = depth.data[from + across[x]!]!;
  }
  return output;
}

interface DrawnPart {
  readonly jitter: Jitter | undefined;
  /** Within the view; undefined: all of it. */
  readonly inner: Box | undefined;
}

/** The same numbers are drawn for a depth map of another size than its picture, and are shares of the view's sides. */
function drawPart({ seed, pass }: NonNullable<DepthView['draw']>, image: number, { width, height }: Extent): DrawnPart {
  const random = createRandom({ seed, position: image, stream: pass });
  const jitter = random.chance(JITTER_PROBABILITY) ? drawJitter(random) : undefined;
  const inner = random.chance(CROP_PROBABILITY) ? randomResizedCrop(width, height, SCALE, [1, 1], random) : undefined;
  return { jitter, inner };
}

function drawJitter(random: Random): Jitter {
  const factor = (): number => random.uniform(1 - JITTER, 1 + JITTER);
  const values = {
    brightness: factor(),
    contrast: factor(),
    saturation: factor(),
    hue: random.uniform(-JITTER, JITTER),
  };
  const order = Array.from(permutation(JITTER_STEPS.length, random), (at) => JITTER_STEPS[at]!);
  return { order, ...values };
}

/** A copy, of three channels. */
function cutOut(picture: PixelImage, box: Box): PixelImage {
  // at its own size a resize only cuts, and drops a fourth channel
  return resizeBicubic(picture, box.width, box.height, { box });
}

/** The part at the size of the picture, by the nearest pixel. */
function enlarged({ width, height, data }: PixelImage, part: Box): PixelImage {
  const output = new Uint8Array(data.length);
  for (let y = 0, to = 0; y < height; y++) {
    const from = (part.top + nearestPixel(y, part.height, height, 'centre')) * width;
    for (let x = 0; x < width; x++, to += 3) {
      const at = (from + part.left + nearestPixel(x, part.width, width, 'centre')) * 3;
      output[to] = data[at]!;
      output[to + 1] = data[at + 1]!;
      output[to + 2] = data[at + 2]!;
    }
  }
  return { width, height, channels: 3, data: output };
}
