/** Sizes of the first picture's view and of its depth, which those of all others are taken at. */
import type { DepthImages } from '../../image-sets/depth-set';
import { type DepthView, viewBox } from '../../image-sets/depth-view';
import type { Sides } from '../../image-sets/preparation';

export async function viewOf(
  test: DepthImages,
  crop: DepthView['crop'],
): Promise<{ readonly picture: Sides; readonly depth: Sides }> {
  const [picture, depth] = [viewBox({ crop }, await test.read(0)), viewBox({ crop }, await test.depth(0))];
  return { picture: [picture.height, picture.width], depth: [depth.height, depth.width] };
}
