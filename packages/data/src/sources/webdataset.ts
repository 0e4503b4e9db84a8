/**
 * WebDataset: images in tar shards, on disk or behind HTTP.
 *
 * Members whose names agree in the key belong to one sample (`000017.jpg`, `000017.cls`, `000017.json`): `tar-shard.ts` says
 * where a key ends, `tar-samples.ts` when shards are samples and when plain files, and what is told of the rest. The label
 * is the whole number in the `.cls`. Without any, the folders inside the archive are the classes where they look like it, as
 * for a folder of images.
 *
 * Shards are indexed once, which means reading through each; the index is kept in a file (`kept-index.ts`) as long as the shard stays as it is. The
 * source opens from the summaries of all shards, and each image is then one read. So 10^8 images take little memory; the order of so many is mixed
 * within windows of shards (`runs`), for which few indices are in use at a time. Up to `EXACT_IMAGES` it is exact.
 */

import { availableParallelism } from 'node:os';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, DataError } from '../errors';
import { type ByteFile, checkImageBytes } from '../files/byte-file';
import { defaultCacheDir } from '../files/cache-dir';
import { HTTP_OPTIONS, type HttpOptions } from '../files/http-file';
import { openFile } from '../files/open-file';
import type { ClassCounts, ImageSource } from '../images/image-source';
import { prefetch } from '../prefetch';
import { archivesAt } from './archives';
import { findIndex, type IndexPlaces, indexPlaces, keepIndex } from './kept-index';
import {
  classFolderDepth,
  countsOfClasses,
  type Labels,
  labelsBy,
  type NamedImages,
  SHOWN,
  sortedClasses,
  type Unlabelled,
  whyUnlabelled,
} from './labels';
import { withNotes } from './left-out';
import { picturesOf, type ShardSummary } from './shard-index';
import { type OpenShard, type ShardTable, shardTable } from './shard-table';
import { shortFileNames } from './short-file-names';
import { inSameFolder, type OpenOptions, type SourceKind } from './source-kind';
import { countSamples, MOST_CLASSES, type TarSamples } from './tar-samples';
import { indexShard } from './tar-shard';

export interface WebDatasetOptions extends IndexPlaces {
  /** Fixes the class list (values of `.cls`, or folder names), e.g. to the one of the training shards. */
  readonly classes?: readonly string[] | undefined;
  /** Where indices of shards are kept. None are kept without it, unless beside the shards. */
  readonly cacheDir?: string | undefined;
  /** Keeps the index of each shard beside it (`00000.tar.franca-index`), for all who use the shards. Default false; one that lies there is always used. */
  readonly indexBeside?: boolean | undefined;
  /** Called as shards are opened in their order: how many so far, of how many, and whether the index of this one was there. */
  readonly onIndexing?: ((done: number, total: number, cached: boolean) => void) | undefined;
  readonly http?: HttpOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionKinds<WebDatasetOptions> = {
  classes: 'strings',
  cacheDir: 'string',
  indexBeside: 'boolean',
  onIndexing: 'function',
  http: 'object',
  signal: 'object',
};

/** Up to so many images the order of a pass is drawn over all of them, and the indices of all shards may be in memory. */
const EXACT_IMAGES = 2 ** 24;
/** Above, images are mixed across shards of at least so many, and the indices of twice as many are held: shards may be sorted by class. */
const WINDOW_IMAGES = 2 ** 21;
const NAMED_SHARDS = 4;

export const tarKind: SourceKind<'tar'> = {
  kind: 'tar',
  says: '.tar shards',
  labels: '.cls members, else class folders',
  prefixed: true,
  ofFile: (name) => (name.endsWith('.tar') ? 'ends in .tar' : undefined),
  ofFolder: ({ nested }) => (nested.some((name) => name.endsWith('.tar')) ? 'holds .tar shards' : undefined),
  open: async (target, options) => {
    const { files, notes } = await archivesAt(target, '.tar', options.split);
    return withNotes(await webDatasetSource(files, shardOptions(options)), notes);
  },
  validation: inSameFolder,
};

/** Options of opening any data as those of opening shards. */
export function shardOptions({
  classes,
  http,
  signal,
  cacheDir = defaultCacheDir(),
  indexBeside,
  onIndexing,
}: OpenOptions): WebDatasetOptions {
  return { classes, http, signal, cacheDir, indexBeside, onIndexing };
}

/**
 * Opens shards.
 * @param shards paths, URLs (in either, `{000..127}` stands for that range of numbers), or files already open
 * @throws DataError not-found for a shard that is not there, spec for one given twice, empty-source when none holds an image
 */
export async function webDatasetSource(
  shards: readonly (string | ByteFile)[],
  options: WebDatasetOptions = {},
): Promise<ImageSource> {
  checkArgument('webDatasetSource', 'shards', shards, 'list');
  checkOptions('webDatasetSource', options, OPTIONS);
  if (options.http) checkOptions('webDatasetSource: http', options.http, HTTP_OPTIONS);
  for (const shard of shards) {
    const given = typeof shard === 'string' || (typeof shard === 'object' && shard !== null && 'read' in shard);
    if (!given)
      throw new DataError('argument', `webDatasetSource: ${String(shard)} is no shard; give paths or addresses`);
  }
  const files = shards.flatMap((shard): (string | ByteFile)[] =>
    typeof shard === 'string' ? expandBraces(shard) : [shard],
  );
  const names = shortFileNames(files.map((file) => (typeof file === 'string' ? file : file.name)));
  const { shards: opened, samples, unkept } = await openShards(files, names, options);
  return shardedSource(nameOf(shards), { shards: opened, names, samples, unkept }, options.classes);
}

const nameOf = (shards: readonly (string | ByteFile)[]): string => {
  const names = shards.map((shard) => (typeof shard === 'string' ? shard : shard.name));
  const all = names.length <= NAMED_SHARDS;
  return `webdataset ${all ? names.join(' ') : `${names[0]} to ${names.at(-1)} (${names.length} shards)`}`;
};

/** `shard-{00..02}.tar` is `shard-00.tar`, `shard-01.tar`, `shard-02.tar`. */
export function expandBraces(pattern: string): string[] {
  const range = /\{(\d+)\.\.(\d+)\}/.exec(pattern);
  if (!range) return [pattern];
  const [whole, from = '', to = ''] = range;
  const count = Number(to) - Number(from) + 1;
  if (count < 1 || count > 1e6) throw new DataError('spec', `${pattern}: ${whole} is not a range of shards`);
  return Array.from({ length: count }, (_, step) => {
    const number = String(Number(from) + step).padStart(from.length, '0');
    return pattern.replace(whole, number);
  }).flatMap(expandBraces);
}

/** Shards that were opened, and what they have together. */
interface OpenShards {
  readonly shards: readonly OpenShard[];
  readonly samples: TarSamples;
  /** Shards whose indices could not be written. */
  readonly unkept: number;
}

async function openShards(
  files: readonly (string | ByteFile)[],
  names: readonly string[],
  options: WebDatasetOptions,
): Promise<OpenShards> {
  const counts = countSamples(names);
  const shards: OpenShard[] = [];
  let unkept = 0;
  const load = (file: string | ByteFile, stop: AbortSignal): Promise<IndexedShard> => openShard(file, options, stop);
  const inFlight = 2 * availableParallelism();
  for await (const { shard, summary, cached, refused } of prefetch(files, load, { inFlight, signal: options.signal })) {
    shards.push(shard);
    counts.add(summary);
    if (refused) unkept++;
    options.onIndexing?.(shards.length, files.length, cached);
  }
  return { shards, samples: counts.total(), unkept };
}

interface IndexedShard {
  readonly shard: OpenShard;
  readonly summary: ShardSummary;
  readonly cached: boolean;
  readonly refused: boolean;
}

async function openShard(
  given: string | ByteFile,
  options: WebDatasetOptions,
  signal: AbortSignal,
): Promise<IndexedShard> {
  const file = typeof given === 'string' ? await openFile(given, { ...options.http, signal }) : given;
  const places = indexPlaces(file, options);
  const found = await findIndex(file, places.read);
  if (found) {
    const { summary, place } = found;
    return { shard: { file, names: summary.names, kept: place }, summary, cached: true, refused: false };
  }
  const index = await indexShard(file, signal);
  const { summary } = index;
  const kept = await keepIndex(index, file, places.write);
  const refused = kept === undefined && places.write.length > 0;
  return { shard: { file, names: summary.names, kept: kept ?? picturesOf(index) }, summary, cached: false, refused };
}

function shardedSource(
  name: string,
  { shards, names, samples, unkept }: OpenShards & { readonly names: readonly string[] },
  fixed?: readonly string[],
): ImageSource {
  const { counting, lengths, fingerprint } = samples;
  const notes = [
    ...samples.notes,
    ...(unkept > 0
      ? [
          `the indices of ${unkept} shards could not be written and are made anew at every start; give a cacheDir that can be written`,
        ]
      : []),
  ];
  const mixed = mixedInWindows(lengths);
  const heldPictures = mixed ? 2 * mixed.window : EXACT_IMAGES;
  const table = shardTable(shards, { counting, lengths, heldPictures });
  if (table.length === 0) {
    throw new DataError('empty-source', [`${name} holds no image`, ...notes].join('; '));
  }
  return {
    name,
    length: table.length,
    ...labelsOf(samples, table, fixed),
    ...(notes.length > 0 && { notes }),
    ...mixed,
    fingerprint,
    key: (index) => `${names[table.shardOf(index)]}/${table.key(index)}`,
    version: (index) => {
      const { file, offset, size } = table.place(index);
      return `${file.version}; ${size} B at ${offset}`;
    },
    read: async (index, signal) => {
      await table.ready(index, signal);
      const { file, offset, size } = table.place(index);
      checkImageBytes(size);
      return { encoded: await file.read(offset, size, signal) };
    },
  };
}

/** How the order of shards of these lengths is mixed, where it is not over all images. */
export function mixedInWindows(
  lengths: Float64Array,
): { readonly runs: number[]; readonly window: number } | undefined {
  const images = lengths.reduce((sum, length) => sum + length, 0);
  return images > EXACT_IMAGES ? { runs: Array.from(lengths), window: WINDOW_IMAGES } : undefined;
}

/** Labels by `.cls` where there are any, else by folders. */
function labelsOf(
  { labels, folders, tooMany }: TarSamples,
  table: ShardTable,
  fixed?: readonly string[],
): (Labels & { readonly classCounts: ClassCounts }) | Unlabelled | undefined {
  const isLabelled = labels.size > 0;
  if (tooMany) {
    const what = isLabelled ? '.cls members hold' : 'images lie in';
    return {
      whyUnlabelled: `${what} more than ${MOST_CLASSES} different ${isLabelled ? 'numbers' : 'folders'}, which are no classes`,
    };
  }
  const counted = (values: ReadonlyMap<string, number>, valueAt: (index: number) => string | undefined) => {
    const classes = fixed ?? sortedClasses([...values.keys()]);
    return { ...labelsBy(valueAt, classes), classCounts: countsOfClasses(values, classes, table.length) };
  };
  if (isLabelled) return counted(labels, table.label);
  const paths = [...folders.keys()];
  const depth = classFolderDepth(paths, fixed);
  if (depth === undefined) return whyUnlabelled(paths, fixed, imagesIn(folders, table));
  const nameOf = (folder: string): string => folder.split('/')[depth]!;
  const names = new Map<string, number>();
  for (const [folder, images] of folders) names.set(nameOf(folder), images + (names.get(nameOf(folder)) ?? 0));
  return counted(names, (index) => nameOf(table.folder(index)));
}

/** How many images lie in some folders, and the first few of them; looks through the images only if there are some. */
const imagesIn =
  (folders: ReadonlyMap<string, number>, table: ShardTable) =>
  (some: readonly string[]): NamedImages => {
    const wanted = new Set(some);
    const first: string[] = [];
    for (let index = 0; index < table.length && first.length < SHOWN; index++)
      if (wanted.has(table.folder(index))) first.push(table.key(index));
    return { count: some.reduce((sum, folder) => sum + folders.get(folder)!, 0), first };
  };
