/**
 * Random crops of a picture, and of its mask where it has one, as the paper's evaluations augment their train images.
 *
 * A recipe states the distribution. The crop of an image is a function of (seed, pass, image), so that picture and mask,
 * which are read apart, are cut by one crop, and a run that is repeated sees the same ones. The picture is jittered in
 * colour, cut and resized as the recipe says; the mask takes the nearest pixel of the same box.
 */
import {
  type Box,
  colorJitter,
  createRandom,
  JITTER_STEPS,
  type Jitter,
  type PixelImage,
  type Random,
  randomResizedCrop,
  resizeBicubic,
  resizeBilinear,
} from '@franca/data';
import { type Nearest, nearestPixel, type PixelLabels } from './mask-pixels';

/** The distribution of crops. */
export interface CropRecipe {
  readonly name: string;
  /** Share of the picture's area; a box with more than all of it never fits, and after ten of them the centre is taken. */
  readonly scale: readonly [number, number];
  readonly flipProbability: number;
  /** Largest deviation of brightness, contrast, saturation (factors) and hue (turns), each applied in half of the pictures, in this order; 0: none. */
  readonly jitter: number;
  /** Of the resize; default bilinear. */
  readonly filter?: 'bicubic' | 'bilinear';
}

/** Which crops are meant: drawn anew for each pass over the images. */
export interface CropDraw {
  readonly recipe: CropRecipe;
  readonly seed: number;
  readonly pass: number;
}

/** One crop: plain data. */
export interface Crop {
  /** In pixels of the picture. */
  readonly box: Box;
  readonly flip: boolean;
  /** The steps that this picture takes; none: undefined. */
  readonly jitter: Jitter | undefined;
}

const RATIO = [3 / 4, 4 / 3] as const;
const JITTER_PROBABILITY = 0.5;

/** The crop of the picture with number `image`, of the given size. */
export function drawCrop(
  { recipe, seed, pass }: CropDraw,
  image: number,
  { width, height }: { readonly width: number; readonly height: number },
): Crop {
  const random = createRandom({ seed, position: image, stream: pass });
  return {
    box: randomResizedCrop(width, height, recipe.scale, RATIO, random),
    flip: random.chance(recipe.flipProbability),
    jitter: recipe.jitter > 0 ? drawJitter(recipe.jitter, random) : undefined,
  };
}

function drawJitter(range: number, random: Random): Jitter | undefined {
  const order = JITTER_STEPS.filter(() => random.chance(JITTER_PROBABILITY));
  const factor = (): number => random.uniform(1 - range, 1 + range);
  const values = { brightness: factor(), contrast: factor(), saturation: factor(), hue: random.uniform(-range, range) };
  return order.length > 0 ? { order, ...values } : undefined;
}

/** The crop of a picture as RGB `size x size`; the picture stays as it is. */
export function cropPicture(
  picture: PixelImage,
  { box, flip, jitter }: Crop,
  size: number,
  filter: CropRecipe['filter'] = 'bilinear',
): PixelImage {
  const resize = filter === 'bicubic' ? resizeBicubic : resizeBilinear;
  if (!jitter) return resize(picture, size, size, { box, flip });
  const { width, height, channels, data } = picture;
  // jitter writes in place, and contrast reads the mean of the whole picture; at its own size a resize drops a fourth channel
  const rgb = channels === 3 ? { ...picture, data: data.slice() } : resizeBilinear(picture, width, height);
  colorJitter(rgb.data, jitter);
  return resize(rgb, size, size, { box, flip });
}

/** The same crop of the mask, [size, size]: the nearest pixel, which lies elsewhere where the mask has another size than the picture. */
export function cropMask(
  mask: PixelLabels,
  picture: { readonly width: number; readonly height: number },
  { box, flip }: Crop,
  size: number,
  nearest: Nearest,
): Uint8Array {
  const columns = Array.from({ length: size }, (_, x) => {
    const column = box.left + nearestPixel(flip ? size - 1 - x : x, box.width, size, nearest);
    return nearestPixel(column, mask.width, picture.width, 'centre');
  });
  const output = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    const row = box.top + nearestPixel(y, box.height, size, nearest);
    const from = nearestPixel(row, mask.height, picture.height, 'centre') * mask.width;
    for (let x = 0; x < size; x++) output[y * size + x] = mask.data[from + columns[x]!]!;
  }
  return output;
}
