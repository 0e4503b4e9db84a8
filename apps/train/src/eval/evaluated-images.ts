/** Which images a result is about, as a hash: only results on the same images, in the same order and with the same classes, are compared image by image. */
import { createHash } from 'node:crypto';
import type { Outcome } from '@franca/evals';
import type { LeftOutImages } from '../features/left-out-images';
import type { ImageSet } from '../image-sets/image-set';

/** SHA-256 of the names, and classes where there are any, of all images of these sets that could be read. */
function hashImages(
  sets: readonly Pick<ImageSet, 'key' | 'label' | 'classes' | 'length'>[],
  leftOut: Pick<LeftOutImages, 'has'>,
): string {
  const hash = createHash('sha256');
  for (const set of sets) {
    hash.update(JSON.stringify(['set', set.classes]));
    for (let index = 0; index < set.length; index++)
      if (!leftOut.has(set, index)) hash.update(JSON.stringify([set.key(index), set.label(index)]));
  }
  return hash.digest('hex');
}

/** SHA-256 of names in order. */
export const hashNames = (names: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(names)).digest('hex');

/**
 * Gives outcomes on a part their items' hash: that of the part, and of foreign images those of the set that the outcome names, or of all where none has its
 * name. An evaluation that knows its items better has set their hash itself.
 */
export function imageHasher(
  part: ImageSet,
  others: readonly ImageSet[],
  leftOut: Pick<LeftOutImages, 'has'>,
): (outcome: Outcome) => Outcome {
  const known = new Map<string, string>();
  return (outcome) => {
    const { items, hyper } = outcome;
    if (!items || items.of !== undefined) return outcome;
    const named = others.filter(({ dataset }) => dataset === hyper.outside);
    const foreign = items.kind === 'scores' ? (named.length > 0 ? named : others) : [];
    const name = JSON.stringify(foreign.map(({ dataset, split }) => [dataset, split]));
    const of = known.get(name) ?? hashImages([part, ...foreign], leftOut);
    known.set(name, of);
    return { ...outcome, items: { ...items, of } };
  };
}
