/** Which data evaluations read, as the options name them, and their parts, opened once whichever models are run on them. */
import type { HoldOutOptions } from '@franca/data';
import { TrainError } from '../errors';
import { featureSets } from '../features/files/feature-sets';
import type { OpenFeatures } from '../features/files/find-features';
import { type BoxSet, type OpenBoxOptions, openBoxSet } from '../image-sets/box-set';
import { type OpenDepthOptions, openDepthSet } from '../image-sets/depth-layouts';
import type { DepthSet } from '../image-sets/depth-set';
import { type ImageSets, openImageSets, type SetLimits, type TestedPart } from '../image-sets/image-set';
import type { MaskValues } from '../image-sets/mask-values';
import { openPairs } from '../image-sets/pair-layouts';
import { type PairSet, spreadPairs } from '../image-sets/pair-set';
import type { SegmentationOptions } from '../image-sets/segmentation-layout';
import { isSegmentationData, openSegmentationSets } from '../image-sets/segmentation-set';
import { type OpenVideosOptions, openVideos } from '../image-sets/video-layouts';
import type { VideoSet } from '../image-sets/video-set';
import type { ImageOptions } from './image-part';

export interface ContextOptions extends ImageOptions {
  /** Images, with classes where it has them. */
  readonly data: string;
  /** Images for patch tokens, with masks where it has them. */
  readonly denseData: string;
  /** Features whose files are `data` themselves, with their own names and labels. */
  readonly features?: OpenFeatures | undefined;
  /** Name of the data set in records, where its path does not say. */
  readonly dataset?: string;
  /** What is held out where the data have no test part of their own; without it, or `split`, they are refused. */
  readonly heldOut?: HoldOutOptions | undefined;
  /** The part of images that is tested on; default the test part of a published data set, else what is not for training. */
  readonly split?: TestedPart | undefined;
  readonly images: SetLimits;
  readonly denseImages: SetLimits;
  /** Pairs of pictures; default `data`. */
  readonly pairData?: string | undefined;
  /** At most so many pairs, evenly spaced. */
  readonly pairs?: number | undefined;
  /** Pictures with boxes; default `data`. */
  readonly boxData?: string | undefined;
  /** Pictures with depth; default `data`. */
  readonly depthData?: string | undefined;
  /** At most so many pictures with depth; default `images`. */
  readonly depthImages?: SetLimits;
  /** At most so many pictures with boxes, evenly spaced. */
  readonly boxImages?: number | undefined;
  /** Videos; default `data`. */
  readonly videoData?: string | undefined;
  /** At most so many videos, evenly spaced. */
  readonly videos?: number | undefined;
  /** What the values of masks mean; default: they are the classes. */
  readonly masks?: MaskValues;
  /** Which pictures with masks are learnt from. */
  readonly segmentation?: SegmentationOptions;
}

/** Both parts of the data, opened once when they are first asked for, whichever models are run on them. */
export interface SharedSets extends AsyncDisposable {
  sets(kind: 'images' | 'dense'): Promise<ImageSets>;
  /** Of a part of the pairs; undefined: the usual one. */
  pairs(split: string | undefined): Promise<PairSet>;
  readonly opened: readonly ImageSets[];
}

export function shareSets(options: ContextOptions): SharedSets {
  const opened: ImageSets[] = [];
  return {
    opened,
    sets: memo(async (kind: 'images' | 'dense') => {
      const sets = await (kind === 'dense' ? openDense(options) : openImages(options));
      opened.push(sets);
      return sets;
    }),
    pairs: memo((split: string | undefined) => openChosenPairs(options, split)),
    async [Symbol.asyncDispose]() {
      for (const splits of opened) await splits.close();
    },
  };
}

async function openImages({ data, images, dataset, heldOut, split, features }: ContextOptions): Promise<ImageSets> {
  if (!features) return openImageSets(data, { limits: images, name: dataset, heldOut, split });
  if (split === undefined) return featureSets(features.files, { limits: images, name: dataset });
  throw new TrainError('usage', `the parts of ${data} are its files; leave out --split`);
}

async function openChosenPairs(options: ContextOptions, split: string | undefined): Promise<PairSet> {
  const { data, pairData = data, dataset, pairs: limit } = options;
  // a name that is given is that of the data
  const name = pairData === data ? dataset : undefined;
  return spreadPairs(await openPairs(pairData, { split, name }), limit);
}

/** To be closed with what is in `opened`. */
export async function openChosenBoxes(
  { data, boxData = data, dataset: name, boxImages: limit }: ContextOptions,
  opened: Partial<AsyncDisposable>[],
  chosen: OpenBoxOptions = {},
): Promise<BoxSet> {
  const set = await openBoxSet(boxData, { name, limit, ...chosen });
  opened.push(set);
  return set;
}

export const openChosenVideos = (
  { data, videoData = data, videos: sequences, dataset: name }: ContextOptions,
  chosen: OpenVideosOptions = {},
): Promise<VideoSet> => openVideos(videoData, { name, ...chosen, sequences: chosen.sequences ?? sequences });

/** To be closed with what is in `opened`. */
export async function openChosenDepth(
  { data, depthData = data, dataset: name, images, depthImages: limits = images }: ContextOptions,
  opened: Partial<AsyncDisposable>[],
  chosen: OpenDepthOptions = {},
): Promise<DepthSet> {
  const set = await openDepthSet(depthData, { name, limits, ...chosen });
  opened.push(set);
  return set;
}

async function openDense(options: ContextOptions): Promise<ImageSets> {
  const { data, denseData, denseImages, dataset, heldOut, split, segmentation, features } = options;
  if (features && denseData === data) return openImages({ ...options, images: denseImages });
  if (await isSegmentationData(denseData))
    return openSegmentationSets(denseData, { ...segmentation, limits: denseImages, name: dataset });
  // a part that is asked for is one of `data`
  const own = denseData === data ? { heldOut, split } : {};
  return openImageSets(denseData, { limits: denseImages, name: dataset, ...own });
}

/** `compute`, once for each key, or for each `nameOf` one. */
export function memo<Key, Value>(
  compute: (key: Key) => Value,
  nameOf: (key: Key) => unknown = (key) => key,
): (key: Key) => Value {
  const known = new Map<unknown, Value>();
  return (key) => {
    const name = nameOf(key);
    const value = known.get(name) ?? compute(key);
    known.set(name, value);
    return value;
  };
}
