/** Whether a path is a folder, or a link to one; false where there is nothing. */

import { stat } from 'node:fs/promises';

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
