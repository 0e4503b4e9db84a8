/**
 * Random views of a picture as RASA was trained on: crop, colours, blur, flips both ways and rotation, drawn anew for each pass.
 *
 * In this order: a crop of 0.25 to 1 of the area, resized bilinearly; colour jitter in 0.8 of the views, grey in 0.2, PIL's Gaussian blur in 0.5; mirrored left to
 * right in 0.5, top to bottom in 0.5; rotated about the centre by up to 90 degrees either way in 0.5, by the nearest pixel, black where nothing is. Patches keep
 * the positions of the view's own grid: what is left of position then is what the model adds, not where things lie in photographs. The view of an image is a
 * function of (seed, pass, image), so that a fit that is repeated sees the same ones.
 */
import {
  colorJitter,
  createRandom,
  drawView,
  grayscale,
  type PixelImage,
  pilGaussianBlur,
  resizeBilinear,
  type ViewParams,
  type ViewRecipe,
} from '@franca/data';

/** Which views are meant. */
export interface RandomViewDraw {
  readonly seed: number;
  readonly pass: number;
}

export interface RandomView extends ViewParams {
  /** Mirrored top to bottom. */
  readonly upsideDown: boolean;
  /** In degrees; undefined: not rotated. */
  readonly rotation: number | undefined;
}

const RECIPE: Omit<ViewRecipe, 'size'> = {
  scale: [0.25, 1],
  ratio: [3 / 4, 4 / 3],
  flipProbability: 0.5,
  jitterProbability: 0.8,
  jitter: { brightness: 0.32, contrast: 0.32, saturation: 0.32, hue: 0.08 },
  grayscaleProbability: 0.2,
  blurProbability: 0.5,
  blurSigma: [0.1, 2],
  solarizeProbability: 0,
  solarizeThreshold: 0,
};
const LARGEST_ANGLE = 90;

/** The view of the picture with number `image`, of the given size. */
export function drawRandomView(
  { seed, pass }: RandomViewDraw,
  image: number,
  { width, height }: { readonly width: number; readonly height: number },
  size: number,
): RandomView {
  const random = createRandom({ seed, position: image, stream: pass });
  return {
    ...drawView({ ...RECIPE, size }, width, height, random),
    upsideDown: random.chance(0.5),
    rotation: random.chance(0.5) ? random.uniform(-LARGEST_ANGLE, LARGEST_ANGLE) : undefined,
  };
}

/** The view of a picture as RGB `size x size`; the picture stays as it is. */
export const randomView = (picture: PixelImage, draw: RandomViewDraw, image: number, size: number): PixelImage =>
  renderRandomView(picture, drawRandomView(draw, image, picture, size));

/** The pixels that a drawn view stands for. */
export function renderRandomView(picture: PixelImage, view: RandomView): PixelImage {
  const { size, box, flip, jitter, blurSigma, upsideDown, rotation } = view;
  let { data } = resizeBilinear(picture, size, size, { box, flip });
  if (jitter) colorJitter(data, jitter);
  if (view.grayscale) grayscale(data);
  if (blurSigma !== null) data = pilGaussianBlur(data, size, size, blurSigma);
  if (upsideDown) data = turnedOver(data, size);
  if (rotation !== undefined) data = rotated(data, size, rotation);
  return { width: size, height: size, channels: 3, data };
}

function turnedOver(data: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(data.length);
  const row = 3 * size;
  for (let y = 0; y < size; y++) out.set(data.subarray((size - 1 - y) * row, (size - y) * row), y * row);
  return out;
}

/** Counter-clockwise about the centre; a pixel is that under its centre's origin, black outside. */
function rotated(data: Uint8Array, size: number, degrees: number): Uint8Array {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin, centre] = [Math.cos(angle), Math.sin(angle), size / 2];
  const out = new Uint8Array(data.length);
  for (let y = 0, to = 0; y < size; y++)
    for (let x = 0; x < size; x++, to += 3) {
      const [dx, dy] = [x + 0.5 - centre, y + 0.5 - centre];
      const column = Math.floor(cos * dx - sin * dy + centre);
      const row = Math.floor(sin * dx + cos * dy + centre);
      if (column < 0 || row < 0 || column >= size || row >= size) continue;
      const from = 3 * (row * size + column);
      for (let c = 0; c < 3; c++) out[to + c] = data[from + c]!;
    }
  return out;
}
