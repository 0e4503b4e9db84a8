/** Each picture of a set, cut out at the model's size, followed by itself under a warp of each strength: a set of its own. */
import { type PixelImage, resizeAndCrop, warpImage } from '@franca/data';
import { drawWarp, invertWarp, WARP_STRENGTHS, type Warp, type WarpStrength, warpOfPixels } from '@franca/evals';
import type { ImageSet } from '../../image-sets/image-set';
import { centreCrop, describePreparation } from '../../image-sets/preparation';

export const STRENGTHS = Object.keys(WARP_STRENGTHS) as readonly WarpStrength[];

/** Images of a warped set that belong to one picture: itself, then its warps. */
const VIEWS = 1 + STRENGTHS.length;

/** Where an image of a warped set comes from. */
export interface WarpedView {
  /** Of the original set. */
  readonly picture: number;
  /** Undefined for the picture itself. */
  readonly warped: { readonly strength: WarpStrength; readonly warp: Warp } | undefined;
}

export interface WarpedSet extends ImageSet {
  readonly views: (index: number) => WarpedView;
  /** How the pictures are cut out, for records. */
  readonly preprocessing: string;
}

export interface WarpedSetOptions {
  /** Side of the images. */
  readonly size: number;
  /** Shorter side before the centre is cut out. */
  readonly resize?: number | undefined;
  /** Of the warps. */
  readonly seed: number;
}

/** Warps rest on the seed and the key of a picture, so that any two models are shown the same. */
export function warpedSet(set: ImageSet, { size, resize, seed }: WarpedSetOptions): WarpedSet {
  const preparation = { ...centreCrop(size), ...(resize ? { resize } : {}) };
  const preprocessing = `${describePreparation(preparation)}, warped bilinear in the cut`;
  const cut = lately(async (picture) =>
    resizeAndCrop(await set.read(picture), { resize: preparation.resize, crop: size }),
  );
  const views = (index: number): WarpedView => {
    const picture = Math.floor(index / VIEWS);
    const strength = STRENGTHS[(index % VIEWS) - 1];
    return { picture, warped: strength && { strength, warp: drawWarp(strength, set.key(picture), seed) } };
  };
  return {
    ...set,
    split: `${set.split}, warped`,
    length: VIEWS * set.length,
    views,
    preprocessing,
    key(index) {
      const { picture, warped } = views(index);
      return warped ? `${set.key(picture)} (${warped.strength} warp)` : set.key(picture);
    },
    label: (index) => set.label(Math.floor(index / VIEWS)),
    async read(index) {
      const { picture, warped } = views(index);
      const image = await cut(picture);
      return warped ? warpImage(image, warpOfPixels(invertWarp(warped.warp), size), image) : image;
    },
    async version(index) {
      const { picture, warped } = views(index);
      return `${await set.version(picture)}; ${preprocessing}; ${JSON.stringify(warped?.warp ?? 'as it is')}`;
    },
  };
}

/** The pictures that were asked for last: neighbouring images are of the same one, and it is decoded once. */
function lately(read: (picture: number) => Promise<PixelImage>): (picture: number) => Promise<PixelImage> {
  const kept = new Map<number, Promise<PixelImage>>();
  return (picture) => {
    const image = kept.get(picture) ?? read(picture);
    kept.set(picture, image);
    for (const old of [...kept.keys()].slice(0, -KEPT)) kept.delete(old);
    return image;
  };
}
const KEPT = 4;
