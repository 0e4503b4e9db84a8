/**
 * The test sets that were made for classifiers of ImageNet-1k: ImageNetV2 (Recht et al. 2019), ImageNet-A (Hendrycks et al. 2021), ImageNet-R
 * (Hendrycks et al. 2021) and ImageNet-Sketch (Wang et al. 2019).
 *
 * V2 has the 1,000 classes in folders called by their place in the sorted list, `0` to `999`, in the order of the numbers. A and R
 * have 200 classes each, of which 86 are the same, and are told by exactly those; Sketch has all 1,000. Images of ImageNet itself in such
 * folders (a part of its validation set, or a corrupted one) are none of these sets.
 */

import path from 'node:path';
import type { BenchmarkFacts, BenchmarkLayout } from './benchmark';
import { classFolderBenchmark, firstImage, hasClasses, isOwnName } from './class-folders';
import { findWhere } from './find-folder';
import { IMAGENET_A_PLACES, IMAGENET_CLASSES, IMAGENET_R_PLACES } from './imagenet-classes';

const NUMBERS: readonly string[] = /* @__PURE__ */ Array.from({ length: 1_000 }, (_, place) => String(place));
const V2_VARIANTS = ['matched-frequency', 'threshold0.7', 'top-images'] as const;

/** One of the three, or a folder whose name does not say which it is. */
type V2Variant = (typeof V2_VARIANTS)[number] | 'unnamed';

/** The variant that the paper's numbers are of. */
export const IMAGENET_V2: BenchmarkLayout = /* @__PURE__ */ v2('imagenet-v2', 'ImageNetV2', 'matched-frequency');
export const IMAGENET_V2_THRESHOLD: BenchmarkLayout = /* @__PURE__ */ v2(
  'imagenet-v2-threshold-0.7',
  'ImageNetV2 (threshold 0.7)',
  'threshold0.7',
);
export const IMAGENET_V2_TOP: BenchmarkLayout = /* @__PURE__ */ v2(
  'imagenet-v2-top-images',
  'ImageNetV2 (top images)',
  'top-images',
);
export const IMAGENET_V2_UNNAMED: BenchmarkLayout = /* @__PURE__ */ v2(
  'imagenet-v2-unnamed',
  'ImageNetV2 (variant not named)',
  'unnamed',
);

export const IMAGENET_A: BenchmarkLayout = /* @__PURE__ */ wnidFolders(
  { name: 'imagenet-a', title: 'ImageNet-A', published: { classes: 200, test: 7_500 } },
  'imagenet-a.tar unpacked: imagenet-a/<wnid>/*.jpg',
  IMAGENET_A_PLACES,
  ['imagenet-a'],
);

export const IMAGENET_R: BenchmarkLayout = /* @__PURE__ */ wnidFolders(
  { name: 'imagenet-r', title: 'ImageNet-R', published: { classes: 200, test: 30_000 } },
  'imagenet-r.tar unpacked: imagenet-r/<wnid>/*.jpg',
  IMAGENET_R_PLACES,
  ['imagenet-r', 'imagenet_r'],
);

export const IMAGENET_SKETCH: BenchmarkLayout = /* @__PURE__ */ wnidFolders(
  { name: 'imagenet-sketch', title: 'ImageNet-Sketch', published: { classes: 1_000, test: 50_889 } },
  'ImageNet-Sketch.zip unpacked: sketch/<wnid>/sketch_*.JPEG',
  [...IMAGENET_CLASSES.keys()],
  ['sketch', 'imagenet-sketch', 'ImageNet-Sketch', 'ImageNet-Sketch/sketch', 'imagenet-sketch/sketch'],
  /^sketch_\d/,
);

/** A set of class folders called by WordNet ids. */
// @__NO_SIDE_EFFECTS__
function wnidFolders(
  { name, title, published }: Pick<BenchmarkFacts, 'name' | 'title' | 'published'>,
  lies: string,
  places: readonly number[],
  names: readonly string[],
  called?: RegExp,
): BenchmarkLayout {
  const facts: BenchmarkFacts = { name, title, metric: 'top-1', published, classNames: 'wnid' };
  const classes = places.map((place) => IMAGENET_CLASSES[place]!);
  const isIt = async (folder: string): Promise<boolean> => {
    if (!(await hasClasses(folder, classes))) return false;
    const first = await firstImage(folder, classes);
    return first !== undefined && !isOwnName(first) && (called === undefined || called.test(first));
  };
  return {
    facts,
    lies,
    find: (root) => findWhere(root, names, isIt),
    open: (folder) => classFolderBenchmark(facts, folder, classes, 'test'),
  };
}

/** A variant of ImageNetV2, told by the name of its folder, since nothing in it says which it is. */
// @__NO_SIDE_EFFECTS__
function v2(name: string, title: string, variant: V2Variant): BenchmarkLayout {
  const published = { classes: 1_000, test: 10_000 };
  const facts: BenchmarkFacts = { name, title, metric: 'top-1', published, classNames: 'index' };
  const isNamed = variant !== 'unnamed';
  const names = isNamed ? [folderOf(variant)] : ['imagenetv2', 'imagenet_v2', 'imagenet-v2'];
  return {
    facts,
    lies: isNamed
      ? `imagenetv2-${variant}.tar.gz unpacked: ${folderOf(variant)}/{0..999}/*.jpeg`
      : 'a folder of ImageNetV2 whose name does not say which of its three variants it is',
    find: (root) => findWhere(root, names, async (folder) => (await variantOf(folder)) === variant),
    open: async (folder) => {
      const opened = await classFolderBenchmark(facts, folder, NUMBERS, 'test');
      return isNamed ? opened : { ...opened, notes: [unnamedNote(folder), ...opened.notes] };
    },
  };
}

function folderOf(variant: string): string {
  return `imagenetv2-${variant}-format-val`;
}

/** Which variant a folder holds, if any. */
async function variantOf(folder: string): Promise<V2Variant | undefined> {
  const name = path.basename(path.resolve(folder));
  const named = V2_VARIANTS.filter((each) => name.includes(each));
  if (named.length === 0 && !/imagenet[-_ ]?v2/i.test(name)) return undefined;
  if (!(await hasClasses(folder, NUMBERS))) return undefined;
  return named.length === 1 ? named[0] : 'unnamed';
}

const unnamedNote = (folder: string): string =>
  `${folder} does not say by its name which of the three variants of ImageNetV2 it is, so that no published number stands beside it; ` +
  `call it as its archive does: ${V2_VARIANTS.map(folderOf).join(', ')} (the first is the one that papers mean)`;
