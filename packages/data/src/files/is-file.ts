/** Whether a path is a regular file, or a link to one; false where there is nothing. */

import { stat } from 'node:fs/promises';

export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
