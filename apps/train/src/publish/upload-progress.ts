/** How far an upload is: a live line on a terminal, elsewhere a line for each thing that begins or is done. */
import { amountOfBytes } from '../text/amounts';
import type { FileToPublish } from './files-to-publish';
import type { OnUpload } from './hub-repository';

export interface UploadProgress {
  readonly update: OnUpload;
  end(): void;
}

/** Of these files. */
export function uploadProgress(
  files: readonly FileToPublish[],
  stream: NodeJS.WriteStream = process.stderr,
): UploadProgress {
  const bytes = new Map(files.map(({ path, bytes: size }) => [path, size]));
  const done = new Set<string>();
  const live = stream.isTTY === true;
  const clear = (): void => {
    if (live) stream.write('\r\x1b[K');
  };
  return {
    update(what, path, share = 0) {
      if (path === undefined) {
        clear();
        stream.write(`${what}\n`);
      } else if (what === 'uploading' && share >= 1 && !done.has(path)) {
        done.add(path);
        clear();
        stream.write(`uploaded ${path}, ${amountOfBytes(bytes.get(path) ?? 0)}\n`);
      } else if (live && share < 1) {
        clear();
        stream.write(`${what} ${path}: ${Math.floor(100 * share)} %`.slice(0, (stream.columns || 120) - 1));
      }
    },
    end: clear,
  };
}
