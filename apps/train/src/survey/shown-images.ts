/** A few pictures of each part, evenly spaced, with what they are called and labelled. */
import type { PixelImage } from '@franca/data';
import { spread } from '../image-sets/image-set';
import { classNames } from './class-counts';
import type { LookedAt } from './data-parts';

const SHOWN = 3;

export interface ShownImage {
  readonly key: string;
  readonly label: string;
  /** Absent where it cannot be read, which `trouble` tells. */
  readonly image?: PixelImage;
  readonly trouble?: string;
}

export async function shownImages({ set }: LookedAt): Promise<ShownImage[]> {
  const some = spread(set, SHOWN);
  const shown: ShownImage[] = [];
  for (let index = 0; index < some.length; index++) {
    const named = { key: some.key(index), label: classNames(some, index) };
    try {
      shown.push({ ...named, image: await some.read(index) });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      shown.push({ ...named, trouble: error.message });
    }
  }
  return shown;
}
