/** The few held-out pictures that a run is shown by: which they are, and how large the teacher looks at them. */
import type { ImageSource } from '@franca/data';
import type { VitConfig } from '@franca/vit';
import type { DerivedOptions } from '../config/derived-options';
import { type HeldOutImages, readImagesAt } from './held-out-images';

/** Pictures in a row. */
export const SHOWN = 6;

/** Patches along a side, so that the outlines of objects can be seen; more where the run itself has more. */
const GRID = 24;

export interface ShownPictures {
  /** Places among the images of the test part. */
  readonly queries: readonly number[];
  /** The same pictures at the size that they are looked at, centre cut out. */
  readonly pictures: HeldOutImages;
}

/** Side of a picture as the teacher looks at it. */
export const lookSize = ({ imgSize, patchSize }: Pick<VitConfig, 'imgSize' | 'patchSize'>): number =>
  patchSize * Math.max(GRID, Math.floor(imgSize / patchSize));

/** Reads the pictures of `test` that are shown, once more, large. */
export async function readShown(
  source: ImageSource,
  test: Pick<HeldOutImages, 'labels' | 'indices'>,
  { vit, loop: { decode } }: Pick<DerivedOptions, 'vit' | 'loop'>,
): Promise<ShownPictures> {
  const size = lookSize(vit);
  const { shortSide } = decode;
  const sharp = { ...decode, ...(shortSide === undefined ? {} : { shortSide: Math.max(shortSide, size) }) };
  const queries = chooseShown(test.labels, test.indices.length, SHOWN);
  const places = queries.map((query) => test.indices[query]!);
  const pictures = await readImagesAt(source, places, { resize: size, size, labelled: false, decode: sharp });
  return { queries: queries.filter((query) => pictures.indices.includes(test.indices[query]!)), pictures };
}

/** Up to `count` of n images: the first one of each class before a second one of any, spread evenly. Without labels every image is of its own class. */
export function chooseShown(labels: ArrayLike<number>, n: number, count: number): number[] {
  const seen = new Map<number, number>();
  const ranked = Array.from({ length: n }, (_, place) => {
    const label = labels[place] ?? place;
    const earlier = seen.get(label) ?? 0;
    seen.set(label, earlier + 1);
    return { place, earlier };
  });
  const firsts = ranked.filter(({ earlier }) => earlier === 0);
  const from = firsts.length < count ? ranked.sort((a, b) => a.earlier - b.earlier) : firsts;
  const shown = Math.min(count, from.length);
  const stride = firsts.length < count ? 1 : from.length / shown;
  return Array.from({ length: shown }, (_, i) => from[Math.floor(i * stride)]!.place);
}
