/** Opens whatever a user's text means: the one door to all sources. */

import type { ImageSource } from '../images/image-source';
import { SOURCE_KINDS } from './kinds';
import { recogniseSource } from './recognise';
import type { OpenOptions } from './source-kind';

/**
 * Opens a data set.
 *
 * `spec` is a path, an address or an official string; see `recogniseSource` for how its kind is found, and write the kind in
 * front (`folder:PATH`) to decide it.
 * @throws DataError with the ways to say it when the text means nothing or more than one thing
 */
export async function openSource(spec: string, options: OpenOptions = {}): Promise<ImageSource> {
  const { kind, target } = await recogniseSource(spec);
  return SOURCE_KINDS[kind].open(target, options);
}
