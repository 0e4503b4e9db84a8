/**
 * Which images a source of many files has, in little: to be kept with a place in their order.
 *
 * It is made of names, numbers of images and hashes of their keys, not of times or paths, so that the same data give the same one when they were
 * indexed anew or copied to another machine. The files are taken in sixteen stretches, so that words can say where others came in between.
 */

/** Plain JSON. */
export interface SourceFingerprint {
  readonly files: number;
  readonly images: number;
  /** Which of them, where it is a part of the source. */
  readonly part?: string | undefined;
  /** Stretches of files in their order: the name of the first, and a hash over names, numbers of images and their keys. */
  readonly stretches: readonly { readonly first: string; readonly hash: string }[];
}

/** Stretches of a source of `files` files: where each begins, and the end. */
export function stretchesOf(files: number): number[] {
  const count = Math.min(files, 16);
  return Array.from({ length: count + 1 }, (_, at) => Math.floor((at * files) / count));
}

/** How the images `now` are others than `before`, in words; undefined where they are the same. */
export function fingerprintDifference(before: SourceFingerprint, now: SourceFingerprint): string | undefined {
  if (before.files !== now.files)
    return `there were ${before.files} shards with ${before.images} images and are ${now.files} with ${now.images}`;
  const other = now.stretches.findIndex(({ hash }, at) => before.stretches[at]?.hash !== hash);
  if (other >= 0) {
    const [begin = 0, end = 0] = stretchesOf(now.files).slice(other);
    const [was, is] = [before.stretches[other]?.first, now.stretches[other]!.first];
    const which = end - begin === 1 ? `shard ${end}` : `one of shards ${begin + 1} to ${end}`;
    const renamed = was === undefined || was === is ? is : `${is}, which was ${was}`;
    const images = before.images === now.images ? '' : `; ${before.images} images in all were and ${now.images} are`;
    return `there are ${now.files} shards as before, but ${which} (from ${renamed}) holds other images${images}`;
  }
  return before.part === now.part ? undefined : `they were ${before.part ?? 'all images'} and are ${now.part ?? 'all'}`;
}
