/** How many images of each class a part has. */
import type { ImageSet } from '../image-sets/image-set';

export interface ClassCounts {
  /** Classes that images are of. */
  readonly present: number;
  /** Images of the rarest and the most frequent of those classes. */
  readonly least: number;
  readonly most: number;
  /** Images without a class of the list. */
  readonly without: number;
}

/** An image of several classes counts for each. */
export function countClasses(set: ImageSet): ClassCounts {
  if (set.classes.length === 0) return { present: 0, least: 0, most: 0, without: set.length };
  const counts = new Map<number, number>();
  let without = 0;
  for (let index = 0; index < set.length; index++) {
    const own = classesOf(set, index);
    if (own.length === 0) without++;
    for (const label of own) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const all = [...counts.values()].sort((a, b) => a - b);
  return { present: all.length, least: all[0] ?? 0, most: all.at(-1) ?? 0, without };
}

/** All classes of an image, by number. */
function classesOf(set: ImageSet, index: number): readonly number[] {
  if (set.labels) return set.labels(index);
  const label = set.label(index);
  return label < 0 ? [] : [label];
}

/** The classes of an image in words. */
export function classNames(set: ImageSet, index: number): string {
  const names = classesOf(set, index).map((label) => set.classes[label] ?? `class ${label}`);
  if (names.length > 0) return names.join(', ');
  const unlisted = set.unlistedClass?.(index);
  return unlisted === undefined ? 'no class' : `${unlisted} (not among the classes of train)`;
}
