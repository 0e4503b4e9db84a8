/** The files of a folder that would be uploaded: all but hidden ones and links, by their paths in the repository. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { TrainError } from '../errors';

export interface FileToPublish {
  /** In the repository: with slashes. */
  readonly path: string;
  readonly file: string;
  readonly bytes: number;
}

export interface FilesToPublish {
  readonly files: readonly FileToPublish[];
  /** Paths of what is no plain file, or hidden. */
  readonly leftOut: readonly string[];
}

/** @throws TrainError `file` where `folder` is none, or has no model card */
export async function filesToPublish(folder: string): Promise<FilesToPublish> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause) => {
    throw new TrainError('file', `${folder} is no folder that can be read; give what export wrote`, { cause });
  });
  const [files, leftOut]: [FileToPublish[], string[]] = [[], []];
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file).split(sep).join('/');
    const plain = entry.isFile() && !path.split('/').some((part) => part.startsWith('.'));
    if (plain) files.push({ path, file, bytes: (await stat(file)).size });
    else leftOut.push(path);
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  if (!files.some(({ path }) => path === 'README.md'))
    throw new TrainError('file', `${folder} has no README.md, the model card; franca-train export writes one`);
  return { files, leftOut: leftOut.sort() };
}
