/** Opens whatever a user's text means: the one door to all sources. */

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors';
import { type ByteFile, openLocalFile } from '../files/byte-file';
import { defaultCacheDir } from '../files/cache-dir';
import { openHttpFile } from '../files/http-file';
import type { ImageSource } from '../images/image-source';
import { type GeneratedWorldOptions, generatedWorld } from '../world/generated-world';
import { cifarSource } from './cifar';
import { type DatasetString, parseDatasetString } from './dataset-string';
import { fetchFlowers } from './flowers';
import { folderSource } from './folder';
import { type HubSourceOptions, hubSource } from './hub';
import { idxSource } from './idx';
import { imageNet22kSource } from './imagenet22k';
import { listSource } from './list';
import { parquetSource } from './parquet';
import { type Recognised, recogniseSource } from './recognise';
import { chooseFiles } from './split-files';
import { type Split, splitFolderSource } from './split-folders';
import { byCodeUnit } from './walk-images';
import { webDatasetSource } from './webdataset';

export interface OpenOptions extends Omit<HubSourceOptions, 'split'> {
  /** Part to open of data that has parts, unless the text itself names one. Default train. */
  readonly split?: Split | undefined;
}

/**
 * Opens a data set.
 *
 * `spec` is a path, an address or an official string; see `recogniseSource` for how its kind is found, and write the kind in
 * front (`folder:PATH`) to decide it.
 * @throws DataError with the ways to say it when the text means nothing or more than one thing
 */
export async function openSource(spec: string, options: OpenOptions = {}): Promise<ImageSource> {
  return openRecognised(await recogniseSource(spec), options);
}

/** Opens what `recogniseSource` found. */
export async function openRecognised(found: Recognised, options: OpenOptions): Promise<ImageSource> {
  const { target } = found;
  const { split = 'train', classes } = options;
  const part = split === 'train' ? 'train' : 'val';
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  switch (found.kind) {
    case 'folder':
      return folderSource(target, { classes });
    case 'splits':
      return splitFolderSource(target, split);
    case 'list':
      return listSource(target, { classes });
    case 'cifar':
      return cifarSource(target, part);
    case 'idx':
      return idxSource(target, part);
    case 'tar':
      return webDatasetSource(await archives(target, '.tar', split), { ...options, cacheDir });
    case 'parquet':
      return parquetSource(`parquet ${target}`, await openAll(await archives(target, '.parquet', split)), {
        ...options.parquet,
        classes,
        signal: options.signal,
      });
    case 'world':
      return generatedWorld(parseWorld(target, part));
    case 'flowers':
      return openFlowers({ ...options, cacheDir });
    case 'hub':
      return hubSource(target, options);
    case 'official':
      return openOfficial(parseDatasetString(target), options);
  }
}

async function openFlowers({ cacheDir, signal, onProgress, http }: OpenOptions): Promise<ImageSource> {
  const { root, attribution } = await fetchFlowers({
    ...(cacheDir && { cacheDir }),
    ...(signal && { signal }),
    ...(http && { http }),
    onProgress: ({ phase, done, total }) => phase === 'download' && onProgress?.(done, total),
  });
  return { ...(await folderSource(root)), name: 'flower photographs', attribution };
}

/** `length=500:size=64` as options of the generated world. */
function parseWorld(text: string, split: 'train' | 'val'): GeneratedWorldOptions {
  const numbers = text.split(':').filter(Boolean);
  const bad = numbers.find((part) => !/^(length|classes|size|seed)=\d+$/.test(part));
  if (bad)
    throw new DataError('bad-spec', `world:${text}: ${bad} is not length=, classes=, size= or seed= and a number`);
  return {
    split,
    ...Object.fromEntries(numbers.map((part) => part.split('=')).map(([key, value]) => [key, Number(value)])),
  };
}

/** Opens an official data set string. LAION is a folder of tar shards, at any depth. */
async function openOfficial(dataset: DatasetString, options: OpenOptions): Promise<ImageSource> {
  const { name, root, split, extra } = dataset;
  if (name === 'ImageNet') return splitFolderSource(root, split);
  if (name === 'ImageNet22k') return imageNet22kSource(root, { extra, signal: options.signal });
  return webDatasetSource(await archives(root, '.tar', 'train'), options);
}

/** The archives at a path: itself, or those of the split in the folder. Where no name speaks of a split, all are training data. */
async function archives(target: string, extension: string, split: Split): Promise<string[]> {
  const info = await fs.stat(target).catch(() => undefined);
  if (!info?.isDirectory()) return [target];
  const names = (await fs.readdir(target, { recursive: true }))
    .filter((name) => name.endsWith(extension))
    .map((name) => name.split(path.sep).join('/'))
    .sort(byCodeUnit);
  if (names.length === 0) throw new DataError('empty-source', `${target} holds no ${extension} file`);
  return chooseFiles(target, names, split).map((name) => path.join(target, name));
}

const openAll = (names: readonly string[]): Promise<ByteFile[]> =>
  Promise.all(names.map((name) => (/^https?:/.test(name) ? openHttpFile(name) : openLocalFile(name))));
