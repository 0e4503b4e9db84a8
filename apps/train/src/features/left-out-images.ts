/** Images of sets that could not be read: counted, named in a note of every record, and refused above a share. */
import { DataError } from '@franca/data';
import { type ImageSet, MAX_BAD_SHARE } from '../image-sets/image-set';

export interface LeftOutImages {
  /**
   * Notes that an image is left out, and why where that is known: features from a cache do not say. The same image counts once.
   * @throws DataError `too-many-bad-images` above the share of the set
   */
  add(set: ImageSet, index: number, reason?: string): void;
  /** One note for each part of these data sets, or of all, that images are left out of. */
  notes(datasets?: readonly string[]): string[];
  /** The note on one part, if images are left out of it. */
  note(set: ImageSet): string | undefined;
  /** Whether an image of a part is left out; the part is told by its names of images, whatever notes it has by now. */
  has(set: Pick<ImageSet, 'key'>, index: number): boolean;
}

/** The share is taken of so many images at least, so that one file of five is not too much. */
const MIN_IMAGES = 32;
const LISTED = 10;
const NAMED = 3;

/** @param fault what is the matter with those that are left out, in words */
export function createLeftOutImages(maxShare: number = MAX_BAD_SHARE, fault = 'could not be read'): LeftOutImages {
  const sets = new Map<ImageSet, Map<number, string | undefined>>();
  const note = (set: ImageSet): string | undefined => {
    const left = [...(sets.get(set)?.keys() ?? [])];
    if (left.length === 0) return undefined;
    const names = left.slice(0, NAMED).map(set.key).join(', ') + (left.length > NAMED ? ', ...' : '');
    return `${left.length} of ${set.length} images of ${nameOf(set)} ${fault} and are left out: ${names}`;
  };
  return {
    add(set, index, reason) {
      const left = sets.get(set) ?? new Map<number, string | undefined>();
      sets.set(set, left);
      left.set(index, reason ?? left.get(index));
      if (left.size > maxShare * Math.max(set.length, MIN_IMAGES) || left.size === set.length)
        throw tooMany(set, left, maxShare, fault);
    },
    note,
    has: ({ key }, index) => [...sets].some(([set, left]) => set.key === key && left.has(index)),
    notes: (datasets) => {
      const all = [...sets.keys()].filter(({ dataset }) => datasets === undefined || datasets.includes(dataset));
      return [...new Set(all.map(note).filter((each) => each !== undefined))];
    },
  };
}

const nameOf = ({ dataset, split }: ImageSet): string => `${dataset} ${split}`;

function tooMany(
  set: ImageSet,
  left: ReadonlyMap<number, string | undefined>,
  maxShare: number,
  fault: string,
): DataError {
  const listed = [...left]
    .slice(0, LISTED)
    .map(([index, reason]) => `  ${set.key(index)}${reason ? `: ${reason}` : ''}`);
  const rest = left.size > LISTED ? [`  ... and ${left.size - LISTED} more`] : [];
  const share = left.size === set.length ? 'all' : `more than the allowed share of ${maxShare}`;
  const advice = left.size === set.length ? '' : ', or allow a larger share with --max-bad-share';
  return new DataError(
    'too-many-bad-images',
    `${left.size} of ${set.length} images of ${nameOf(set)} ${fault}, ${share}:\n` +
      `${[...listed, ...rest].join('\n')}\nrepair them or take them away${advice}`,
  );
}
