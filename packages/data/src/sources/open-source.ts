/** Opens whatever a user's text means: the one door to all sources. */

import { DataError } from '../errors';
import { isFolder } from '../files/is-folder';
import type { ImageSource } from '../images/image-source';
import { SOURCE_KINDS, type SourceKindName } from './kinds';
import { type Recognised, recogniseSource } from './recognise';
import { checkOpening, OPEN_OPTIONS, type OpenOptions } from './source-kind';

/** Kinds whose parts number what they hold. The others know all their classes, or, on the hub, would have to fetch the training part. */
const NUMBERED_BY_PART: readonly SourceKindName[] = ['tar', 'parquet'];

/**
 * Opens a data set, or one part of it.
 *
 * `spec` is a path, an address or an official string; see `recogniseSource` for how its kind is found, and write the kind in
 * front (`folder:PATH`) to decide it. Every part has the class list of the training part; an image of another class has no label
 * but an `unlistedClass`.
 * @throws DataError with the ways to say it when the text means nothing or more than one thing
 */
export async function openSource(spec: string, options: OpenOptions = {}): Promise<ImageSource> {
  checkOpening('openSource', options, OPEN_OPTIONS);
  const found = await recogniseSource(spec);
  const source = await openRecognised(found, options);
  return found.note ? { ...source, notes: [found.note, ...(source.notes ?? [])] } : source;
}

async function openRecognised({ kind, target }: Recognised, options: OpenOptions): Promise<ImageSource> {
  const { open } = SOURCE_KINDS[kind];
  const alone = !options.split || options.split === 'train' || options.classes || !NUMBERED_BY_PART.includes(kind);
  if (alone || !(await isFolder(target))) return open(target, options);
  return open(target, {
    ...options,
    classes: await trainingClasses(() => open(target, { ...options, split: 'train' })),
  });
}

/** The classes of the training part, if there is one. */
async function trainingClasses(open: () => Promise<ImageSource>): Promise<readonly string[] | undefined> {
  try {
    const train = await open();
    await train.close?.();
    return train.classes;
  } catch (error) {
    if (error instanceof DataError && error.code === 'not-found') return undefined;
    throw error;
  }
}
