/** Opens a file wherever its name says it is: on disk, or behind HTTP. */

import { type ByteFile, openLocalFile } from './byte-file';
import { type HttpOptions, openHttpFile } from './http-file';

/** Whether a text is an address of the web. */
export const isAddress = (text: string): boolean => /^https?:\/\//.test(text);

/**
 * Opens a path or an address for random access.
 * @throws what `openLocalFile` and `openHttpFile` throw
 */
export function openFile(name: string, http: HttpOptions = {}): Promise<ByteFile> {
  return isAddress(name) ? openHttpFile(name, http) : openLocalFile(name);
}
