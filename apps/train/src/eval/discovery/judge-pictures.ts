/** Whether boxes can be those of the pictures that they are compared in: what sizes give away, refused or noted. */
import { TrainError } from '../../errors';
import { MAX_BAD_SHARE } from '../../image-sets/image-set';
import type { DiscoveredSet } from './discover-set';

/**
 * Notes on pictures of another size than is written beside their boxes, and on boxes that reach out of their pictures.
 * @throws TrainError `data` where there are too many of them for a slip
 */
export function judgePictures({ set, sizes, pictures }: DiscoveredSet): string[] {
  const resized = pictures.filter(
    ({ index, size }) => size.width !== sizes[index]!.width || size.height !== sizes[index]!.height,
  );
  const outside = pictures.filter(({ index, size }) =>
    set.boxes(index).some(([x0, y0, x1, y1]) => x0 < 0 || y0 < 0 || x1 > size.width || y1 > size.height),
  );
  const findings = [
    { found: resized, what: 'have another size than is written beside their boxes' },
    { found: outside, what: 'have boxes that reach out of them' },
  ];
  return findings
    .filter(({ found }) => found.length > 0)
    .map(({ found, what }) => {
      const text = `${found.length} of ${pictures.length} pictures of ${set.dataset} ${set.split} ${what}, e.g. ${set.key(found[0]!.index)}`;
      if (found.length > MAX_BAD_SHARE * pictures.length)
        throw new TrainError('data', `${text}; the boxes belong to other pictures, or to these at another size`);
      return text;
    });
}
