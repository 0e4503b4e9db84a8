/** Labels of ImageNet-ReaL for the classes of a probe. */
import { IMAGENET_CLASSES, realLabels } from '@franca/data';
import type { ImageSet } from '../image-sets/image-set';

/**
 * The probe's classes that are accepted for each image of ImageNet's validation part; those that it does not have are accepted, but never predicted.
 * @throws DataError as `realLabels`, and where an image is none of those that the file has labels of
 */
export async function acceptedClasses(
  path: string,
  images: Pick<ImageSet, 'key' | 'length'>,
  classes: readonly string[],
): Promise<(readonly number[])[]> {
  const places = IMAGENET_CLASSES.map((id) => classes.indexOf(id));
  const { accepted } = await realLabels(path);
  return accepted(images).map((own) => own.map((place) => places[place]!));
}
