/** Weights that are named and not a path: a model on the Hugging Face hub, or one that Franca published. They are fetched into the cache, checked. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fetchHubModel, type HubModelOptions } from '@franca/data';
import { chooseFiles } from './choose-files';
import { downloadProgress } from './download-progress';
import { fetchReleased, releasedName } from './franca-releases';

export interface FetchedWeights {
  /** A file, or the folder that holds it. */
  readonly path: string;
  readonly name: string;
  readonly rasaFile?: string | undefined;
  readonly notes: readonly string[];
}

/** Undefined for a path. @throws TrainError `file` where a repository has no weights; DataError where they cannot be had */
export async function fetchWeights(text: string, options: HubModelOptions = {}): Promise<FetchedWeights | undefined> {
  if (text.startsWith('hf://')) return fetchFromHub(text, options);
  const released = existsSync(text) ? undefined : releasedName(text);
  if (released === undefined) return undefined;
  const { file, ...rest } = await fetchReleased(released);
  return { ...rest, path: file, name: released };
}

async function fetchFromHub(address: string, options: HubModelOptions): Promise<FetchedWeights> {
  const progress = downloadProgress(address);
  let opened: string | undefined;
  try {
    const model = await fetchHubModel(
      address,
      (paths, { repo, within }) => {
        const { files, weights } = chooseFiles(paths, within, repo);
        opened = weights;
        return files;
      },
      { onProgress: progress.update, ...options },
    );
    const path = opened === undefined ? folderOf(model.folder, model.files) : join(model.folder, opened);
    return { path, name: address.slice('hf://'.length), notes: model.notes };
  } finally {
    progress.end();
  }
}

/** The folder within the fetched one that the weights lie in. */
function folderOf(folder: string, files: readonly string[]): string {
  const [first = ''] = files;
  return join(folder, ...first.split('/').slice(0, -1));
}
