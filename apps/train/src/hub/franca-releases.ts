/**
 * The published weights of Franca and of its DINOv2 baselines, by name: `franca_vitb14_In21K_518`. They are files of two releases on GitHub; those of v1.1.0 have
 * their SHA-256 in the release's `SHA256SUMS`, those of v1.0.0 in what GitHub says of its files. Their licence is for research only.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unpackWeights } from '@franca/checkpoint';
import { defaultCacheDir, fetchFile, openLocalFile } from '@franca/data';
import { TrainError } from '../errors';
import { downloadProgress } from './download-progress';

/** A published model. */
export interface FrancaRelease {
  readonly release: 'v1.0.0' | 'v1.1.0';
  /** Planes of RASA beside it: `recorded`, or cut out of a checkpoint whose training the release does not record. */
  readonly rasa: 'recorded' | 'unrecorded' | 'none';
  /** Parts of a tar archive, where it is larger than GitHub takes. */
  readonly parts?: readonly string[];
}

const PARTS = ['aa', 'ab', 'ac'].map((part) => `_chunked.tar.gz.part_${part}`);

/** By the names of their files. */
export const FRANCA_RELEASES: Readonly<Record<string, FrancaRelease>> = {
  franca_vitb14_In21K_518: { release: 'v1.1.0', rasa: 'recorded' },
  franca_vitl14_Laion_518: { release: 'v1.1.0', rasa: 'unrecorded' },
  franca_vitb14_Dinov2_In21K: { release: 'v1.1.0', rasa: 'none' },
  franca_vitb14_Dinov2_In21K_518: { release: 'v1.1.0', rasa: 'unrecorded' },
  franca_vitl14_Dinov2_In21K: { release: 'v1.1.0', rasa: 'none' },
  franca_vitl14_Dinov2_In21K_518: { release: 'v1.1.0', rasa: 'unrecorded' },
  franca_vitb14_In21K: { release: 'v1.0.0', rasa: 'recorded' },
  franca_vitl14_Laion600M: { release: 'v1.0.0', rasa: 'recorded' },
  franca_vitg14_Laion600M: { release: 'v1.0.0', rasa: 'recorded', parts: PARTS },
};

/** Where releases are, and where their files are kept. */
export interface ReleasePlaces {
  readonly site: string;
  readonly api: string;
  readonly cacheDir: string;
}

const usualPlaces = (): ReleasePlaces => ({
  site: 'https://github.com/valeoai/Franca/releases/download',
  api: 'https://api.github.com/repos/valeoai/Franca/releases/tags',
  cacheDir: defaultCacheDir(),
});

export interface ReleasedWeights {
  readonly file: string;
  readonly rasaFile: string | undefined;
  readonly notes: readonly string[];
}

/** The published name that is meant, whatever its case and with or without `.pth`; undefined for other texts. */
export function releasedName(text: string): string | undefined {
  const plain = text.replace(/\.pth$/, '').toLowerCase();
  return Object.keys(FRANCA_RELEASES).find((name) => name.toLowerCase() === plain);
}

/** Fetches published weights with their planes, checked. @throws TrainError `file` where no checksum is published; DataError no-network, http-status, checksum, disk-full */
export async function fetchReleased(name: string, places: ReleasePlaces = usualPlaces()): Promise<ReleasedWeights> {
  const { release, rasa, parts } = FRANCA_RELEASES[name]!;
  const folder = join(places.cacheDir, 'weights', `franca-${release}`);
  await mkdir(folder, { recursive: true });
  const wanted = [...(parts?.map((part) => name + part) ?? [`${name}.pth`])];
  const planes = rasa === 'none' ? [] : [`${name}_rasa.pth`];
  const unpacked = join(folder, `${name}.pth`);
  const isThere = await openLocalFile(unpacked).then(Boolean, () => false);
  const missing = [...(isThere ? [] : wanted), ...planes];
  const sums = await checksums(release, missing, folder, places);
  for (const file of missing) {
    const progress = downloadProgress(file);
    try {
      await fetchFile(`${places.site}/${release}/${file}`, join(folder, file), {
        sha256: sums.get(file)!,
        onProgress: progress.update,
      });
    } finally {
      progress.end();
    }
  }
  if (parts && !isThere)
    await unpackWeights(
      parts.map((part) => join(folder, name + part)),
      folder,
    );
  return {
    file: unpacked,
    rasaFile: planes.map((file) => join(folder, file))[0],
    notes: [
      `published weights of Franca ${release}, for research only (LICENSE_MODEL of valeoai/Franca)`,
      ...(rasa === 'unrecorded'
        ? ['the release does not record how the RASA planes of these weights were trained; --rasa none leaves them out']
        : []),
    ],
  };
}

/** SHA-256 of files that are not there yet. */
async function checksums(
  release: FrancaRelease['release'],
  files: readonly string[],
  folder: string,
  { site, api }: ReleasePlaces,
): Promise<ReadonlyMap<string, string>> {
  const absent: string[] = [];
  for (const file of files)
    if (!(await openLocalFile(join(folder, file)).then(Boolean, () => false))) absent.push(file);
  const list = join(folder, release === 'v1.1.0' ? 'SHA256SUMS' : 'release.json');
  if (absent.length > 0)
    await fetchFile(release === 'v1.1.0' ? `${site}/${release}/SHA256SUMS` : `${api}/${release}`, list);
  const text = absent.length > 0 ? await readFile(list, 'utf8') : '';
  const sums = release === 'v1.1.0' ? sumsOf(text) : digestsOf(text, list);
  const without = absent.find((file) => !sums.has(file));
  if (without !== undefined)
    throw new TrainError(
      'file',
      `${dirname(list)}: the release ${release} publishes no checksum of ${without}; fetch ${site}/${release}/${without} yourself and give its path`,
    );
  return sums;
}

/** Lines `hash  name` as `sha256sum` writes them. */
function sumsOf(text: string): Map<string, string> {
  const lines = [...text.matchAll(/^([0-9a-f]{64}) [ *](\S+)$/gm)];
  return new Map(lines.map(([, hash, name]) => [name!, hash!]));
}

/** What GitHub says of the files of a release. */
function digestsOf(text: string, path: string): Map<string, string> {
  if (text === '') return new Map();
  try {
    const { assets } = JSON.parse(text) as { assets: readonly { name: string; digest?: string | null }[] };
    const found = assets.map(({ name, digest }) => [name, /^sha256:([0-9a-f]{64})$/.exec(digest ?? '')?.[1]] as const);
    return new Map(found.filter((pair): pair is [string, string] => pair[1] !== undefined));
  } catch (cause) {
    throw new TrainError('file', `${path} is no description of a release; remove it and try again`, { cause });
  }
}
