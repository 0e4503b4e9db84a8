/**
 * A model on the Hugging Face hub: `hf://owner/name[@revision][:file or folder]`, fetched into a folder where its files have their own names.
 *
 * Which files are wanted the caller says, who knows what they are. The folder's name is a hash of what is in it: another revision is another folder, and a file
 * that stands under its own name is whole and checked. What was fetched once works without a network.
 */

import { createHash } from 'node:crypto';
import path from 'node:path';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, DataError } from '../errors';
import { defaultCacheDir } from './cache-dir';
import { cacheHubFile, contentOf, type HubOptions, listHubFiles } from './hub-files';

/** A model's repository, and what of it is meant. */
export interface HubModelAddress {
  /** `owner/name`. */
  readonly repo: string;
  readonly revision: string;
  /** A file or a folder of the repository, where one is named. */
  readonly within?: string;
}

export interface HubModelOptions extends Omit<HubOptions, 'cacheDir'> {
  /** Default the user's cache folder. */
  readonly cacheDir?: string | undefined;
  /** Called as bytes arrive, of all files together. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface HubModel {
  /** Where the files lie. */
  readonly folder: string;
  /** Paths in it, as in the repository. */
  readonly files: readonly string[];
  /** What else there is to know, in words. */
  readonly notes: readonly string[];
}

const OPTIONS: OptionKinds<HubModelOptions> = {
  cacheDir: 'string',
  hubUrl: 'string',
  token: 'string',
  http: 'object',
  signal: 'object',
  onProgress: 'function',
};

/** @throws DataError `spec` */
export function parseHubModel(address: string): HubModelAddress {
  checkArgument('parseHubModel', 'address', address, 'string');
  const match = /^hf:\/\/(?:models\/)?([\w.-]+(?:\/[\w.-]+)?)(?:@([\w./-]+))?(?::([\w.-]+(?:\/[\w.-]+)*))?$/.exec(
    address,
  );
  if (!match || /(^|[/:])\.\.?(\/|$)/.test(address))
    throw new DataError('spec', `${JSON.stringify(address)} is not hf://owner/name[@revision][:file or folder]`);
  const [, repo, revision = 'main', within] = match;
  return { repo: repo!, revision, ...(within && { within }) };
}

/**
 * Fetches those files of a model that `choose` names among all paths of its repository.
 * @throws DataError `spec`, no-network, http-status, checksum, disk-full; what `choose` throws
 */
export async function fetchHubModel(
  address: string,
  choose: (paths: readonly string[], address: HubModelAddress) => readonly string[],
  options: HubModelOptions = {},
): Promise<HubModel> {
  checkArgument('fetchHubModel', 'address', address, 'string');
  checkArgument('fetchHubModel', 'choose', choose, 'function');
  checkOptions('fetchHubModel', options, OPTIONS);
  const where = parseHubModel(address);
  const { onProgress, cacheDir = defaultCacheDir(), ...rest } = options;
  const hub: HubOptions = { ...rest, cacheDir };
  const repository = { ...where, type: 'model' as const };
  const { files, fromCache } = await listHubFiles(repository, hub);
  const names = choose(
    files.map((file) => file.path),
    where,
  );
  const wanted = files.filter((file) => names.includes(file.path) && isPlain(file.path));
  if (wanted.length === 0) throw new DataError('not-found', `hf://${where.repo} has none of the files that are wanted`);
  const content = wanted.map((file) => `${file.path} ${contentOf(file)}`).join('\n');
  const place = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  let folder = '';
  for (const file of wanted) {
    const kept = await cacheHubFile(repository, file, hub, {
      place: path.join(place, file.path),
      onProgress: (done) => onProgress?.(before + done, total),
    });
    before += file.size;
    folder = kept.slice(0, -file.path.length - 1);
  }
  const notes = fromCache ? [`no network: the files of hf://${where.repo} as they were listed last time`] : [];
  return { folder, files: wanted.map((file) => file.path), notes };
}

/** Whether a path stays within the folder that it is put into. */
const isPlain = (name: string): boolean => name.split('/').every((part) => /^[\w][\w.-]*$/.test(part));
