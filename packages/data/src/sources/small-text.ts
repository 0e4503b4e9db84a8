/** Text files beside data that may be there, and may be anything. */

import { readFile, stat } from 'node:fs/promises';
import { decodeText } from './list-lines';

const MAX_BYTES = 256 * 1024 * 1024;

/** The text of a file; undefined where there is none, or it is no text or too large to be what is looked for. */
export async function readSmallText(file: string, maxBytes: number = MAX_BYTES): Promise<string | undefined> {
  const info = await stat(file).catch(() => undefined);
  if (!info?.isFile() || info.size > maxBytes) return undefined;
  try {
    return decodeText(await readFile(file), file);
  } catch {
    return undefined;
  }
}
