/**
 * Data sets on the Hugging Face hub: `hf://owner/name[@revision][:[config/]split]`.
 *
 * A repository holds parquet files, tar shards or plain image files; the first of these kinds that it has is used, and the
 * notes tell of the others. A set up
 * to `keepBytes` is fetched into the cache folder when it is opened (plain images: when they are read); a larger one is read
 * by ranges where it is.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, DataError } from '../errors';
import { type ByteFile, checkImageBytes, openLocalFile, readImageFile } from '../files/byte-file';
import { defaultCacheDir } from '../files/cache-dir';
import { cacheHubFile, contentOf, type HubFile, type HubOptions, listHubFiles, openHubFile } from '../files/hub-files';
import { hasImageExtension, hasUnusedImageExtension } from '../images/image-format';
import type { ImageSource } from '../images/image-source';
import { prefetch } from '../prefetch';
import { checkOneConfig, type HubSpec, inConfig, parseHubSpec } from './hub-spec';
import { folderLabels } from './labels';
import { leftOut, leftOutNotes, unusableNotes, withNotes } from './left-out';
import { parquetSource } from './parquet';
import { isPassedOver } from './passed-over';
import { checkOpening, OPEN_OPTIONS, type OpenOptions, type SourceKind } from './source-kind';
import { chooseFiles } from './split-files';
import { shardOptions, webDatasetSource } from './webdataset';

export interface HubSourceOptions extends Omit<OpenOptions, 'split'> {
  /** Split to open when the address names none, by any name that the repository uses. Default train. */
  readonly split?: string | undefined;
}

const OPTIONS: OptionKinds<HubSourceOptions> = { ...OPEN_OPTIONS, split: 'string' };

const DEFAULT_KEEP_BYTES = 20 * 2 ** 30;
const FILES_IN_FLIGHT = 4;

export const hubKind: SourceKind<'hub'> = {
  kind: 'hub',
  says: 'hf://owner/name',
  labels: 'as in the files it holds',
  prefixed: false,
  ofText: (text) => (text.startsWith('hf://') ? 'it begins with hf://' : undefined),
  open: openHub,
  // A split that the address names is taken for training; validation is looked for beside it.
  validation: (target, part) =>
    target.replace(/:(?:([\w.-]+)\/)?[\w.-]+$/, (_, config) => (config ? `:${config}/${part}` : '')),
};

/**
 * Opens a data set of the hub.
 * @throws DataError `spec`, no-network, http-status, not-found for a split, ambiguous-source, empty-source
 */
export async function hubSource(address: string, options: HubSourceOptions = {}): Promise<ImageSource> {
  checkArgument('hubSource', 'address', address, 'string');
  checkOpening('hubSource', options, OPTIONS);
  return openHub(address, options);
}

async function openHub(address: string, options: HubSourceOptions): Promise<ImageSource> {
  const spec = parseHubSpec(address);
  const hub = { ...options, cacheDir: options.cacheDir ?? defaultCacheDir() };
  const listing = await listHubFiles(spec, hub);
  const byPath = new Map(listing.files.map((file) => [file.path, file]));
  const paths = [...byPath.keys()].filter((path) => !isPassedOver(path));
  const [kind, ...others] = kindsOf(address, spec, paths, hub).filter((each) => each.paths.length > 0);
  if (!kind) {
    throw new DataError(
      'empty-source',
      `${address} holds no parquet file, tar shard or image; try @refs/convert/parquet`,
    );
  }
  const split = spec.split ?? options.split ?? 'train';
  const { files, notes } = chooseFiles(address, inConfig(kind.paths, spec), split);
  const source = await kind.open(files.map((path) => byPath.get(path)!));
  return withNotes(source, [
    ...(listing.fromCache ? [`there is no network: ${address} is taken as it was listed last time`] : []),
    ...notes,
    ...others.flatMap((other) => leftOutNotes(`${other.says} beside ${kind.says} are not used`, leftOut(other.paths))),
    ...unusableNotes(leftOut(paths.filter(hasUnusedImageExtension))),
  ]);
}

interface KindOfFiles {
  readonly says: string;
  readonly paths: readonly string[];
  open(files: readonly HubFile[]): Promise<ImageSource>;
}

/** What a repository may hold, the kind to prefer first. */
function kindsOf(
  address: string,
  spec: HubSpec,
  paths: readonly string[],
  hub: HubSourceOptions & HubOptions,
): KindOfFiles[] {
  const { classes, signal } = hub;
  const endingIn = (extension: string): string[] => paths.filter((path) => path.toLowerCase().endsWith(extension));
  return [
    {
      says: 'parquet files',
      paths: endingIn('.parquet'),
      open: async (files) =>
        parquetSource(address, await openFiles(spec, files, hub), { ...hub.parquet, classes, signal }),
    },
    {
      says: 'tar shards',
      paths: endingIn('.tar'),
      open: async (files) =>
        webDatasetSource(await openFiles(spec, files, hub), shardOptions({ ...hub, split: undefined })),
    },
    {
      says: 'image files',
      paths: paths.filter(hasImageExtension),
      open: async (files) => imageFiles(address, spec, files, hub),
    },
  ];
}

/** @throws DataError ambiguous-source */
async function openFiles(
  spec: HubSpec,
  files: readonly HubFile[],
  hub: HubSourceOptions & HubOptions,
): Promise<ByteFile[]> {
  checkOneConfig(
    files.map((file) => file.path),
    spec,
  );
  const total = files.reduce((sum, file) => sum + file.size, 0);
  if (total > (hub.keepBytes ?? DEFAULT_KEEP_BYTES)) return files.map((file) => openHubFile(spec, file, hub));
  const done = new Map<HubFile, number>();
  const fetchOne = async (file: HubFile, signal: AbortSignal): Promise<ByteFile> => {
    const onProgress = (bytes: number): void => {
      done.set(file, bytes);
      hub.onProgress?.(
        [...done.values()].reduce((a, b) => a + b, 0),
        total,
      );
    };
    const kept = await cacheHubFile(spec, file, { ...hub, signal }, { onProgress });
    done.set(file, file.size);
    return { ...(await openLocalFile(kept)), name: `hf://${spec.repo}/${file.path}`, version: contentOf(file) };
  };
  const opened: ByteFile[] = [];
  for await (const file of prefetch(files, fetchOne, { inFlight: FILES_IN_FLIGHT, signal: hub.signal }))
    opened.push(file);
  return opened;
}

/** Plain image files, fetched one by one when they are read, and kept. */
function imageFiles(
  address: string,
  spec: HubSpec,
  files: readonly HubFile[],
  hub: HubSourceOptions & HubOptions,
): ImageSource {
  return {
    name: address,
    length: files.length,
    ...folderLabels(
      files.map((file) => file.path),
      hub.classes,
    ),
    key: (index) => files[index]!.path,
    version: (index) => contentOf(files[index]!),
    read: async (index, signal) => {
      checkImageBytes(files[index]!.size);
      return { encoded: await readImageFile(await cacheHubFile(spec, files[index]!, { ...hub, signal })) };
    },
  };
}
