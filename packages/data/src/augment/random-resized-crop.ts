/**
 * The box of a random resized crop (Szegedy et al. 2015, as in torchvision).
 *
 * An area share is drawn uniformly from `scale` and an aspect ratio (width / height) log-uniformly from `ratio`; the box of
 * that area and shape is placed uniformly where it fits. After ten boxes that do not fit inside the image, the largest
 * central box whose aspect lies in `ratio` is taken. Boxes are whole pixels.
 */

import { checkArgument, checkCount } from '../errors';
import type { Random } from '../random';
import type { Box } from './bicubic';
import { roundHalfEven } from './round-half-even';

const ATTEMPTS = 10;

/**
 * @param width image width in pixels
 * @param height image height in pixels
 * @param scale smallest and largest share of the image's area, above 0; a box with more than all of it never fits
 * @param ratio smallest and largest width / height
 */
export function randomResizedCrop(
  width: number,
  height: number,
  scale: readonly [number, number],
  ratio: readonly [number, number],
  random: Random,
): Box {
  checkCount('randomResizedCrop', 'width', width, 1);
  checkCount('randomResizedCrop', 'height', height, 1);
  checkArgument('randomResizedCrop', 'scale', scale, 'numbers');
  checkArgument('randomResizedCrop', 'ratio', ratio, 'numbers');
  checkArgument('randomResizedCrop', 'random', random, 'object');
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = width * height * random.uniform(scale[0], scale[1]);
    const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const boxWidth = roundHalfEven(Math.sqrt(area * aspect));
    const boxHeight = roundHalfEven(Math.sqrt(area / aspect));
    if (boxWidth > 0 && boxWidth <= width && boxHeight > 0 && boxHeight <= height) {
      const top = random.below(height - boxHeight + 1);
      const left = random.below(width - boxWidth + 1);
      return { left, top, width: boxWidth, height: boxHeight };
    }
  }
  return centralBox(width, height, ratio);
}

function centralBox(width: number, height: number, ratio: readonly [number, number]): Box {
  const aspect = width / height;
  const boxWidth = aspect > ratio[1] ? roundHalfEven(height * ratio[1]) : width;
  const boxHeight = aspect < ratio[0] ? roundHalfEven(width / ratio[0]) : height;
  return {
    left: Math.floor((width - boxWidth) / 2),
    top: Math.floor((height - boxHeight) / 2),
    width: boxWidth,
    height: boxHeight,
  };
}
