/**
 * Finds out what a user's text means as a data set, and says why.
 *
 * In this order: an explicit kind (`folder:PATH`, `tar:PATH` ...), a hub address, an official data set string, a web address,
 * the built-in `flowers` and `world`, then whatever lies at that path. A folder that holds several kinds of data, or a file of no known kind, is an error that lists
 * the ways to say what is meant.
 */

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors';
import { hasImageExtension } from '../images/image-format';
import { looksLikeCifar } from './cifar';
import { looksLikeDatasetString } from './dataset-string';
import { looksLikeIdx } from './idx';
import { findSplitFolders } from './split-folders';
import { byCodeUnit } from './walk-images';

/** Kinds that can be asked for by name, as in `folder:PATH`. */
export const SOURCE_KINDS = ['folder', 'splits', 'tar', 'parquet', 'cifar', 'idx', 'list', 'world'] as const;

export type SourceKind = (typeof SOURCE_KINDS)[number];

const MAX_FOLDERS = 20;

/** What a text was taken for. */
export interface Recognised {
  readonly kind: SourceKind | 'hub' | 'official' | 'flowers';
  /** The path, address or string without its kind. */
  readonly target: string;
  /** For messages: why. */
  readonly because: string;
}

/**
 * Recognises a data set. Looks at names only; nothing is read.
 * @throws DataError not-found, ambiguous-source, unsupported-format
 */
export async function recogniseSource(spec: string): Promise<Recognised> {
  const explicit = SOURCE_KINDS.find((kind) => spec.startsWith(`${kind}:`));
  if (explicit)
    return { kind: explicit, target: spec.slice(explicit.length + 1), because: `it begins with ${explicit}:` };
  if (spec.startsWith('hf://')) return { kind: 'hub', target: spec, because: 'it begins with hf://' };
  if (looksLikeDatasetString(spec))
    return { kind: 'official', target: spec, because: 'it is an official data set string' };
  if (/^https?:\/\//.test(spec)) return recogniseByName(spec, 'address');
  const info = await fs.stat(spec).catch(() => undefined);
  if (spec === 'flowers' || spec === 'world') {
    if (!info) return { kind: spec, target: '', because: `${spec} is the name of a built-in data set` };
    const meant = spec === 'world' ? 'world:' : 'the photographs, from any other folder';
    throw new DataError(
      'ambiguous-source',
      `${spec} is a built-in data set and a path here: write ./${spec} or ${meant}`,
    );
  }
  if (info?.isDirectory()) return recogniseFolder(spec);
  // Shards of a brace pattern need not exist under the pattern itself.
  if (info?.isFile() || /\{\d+\.\.\d+\}/.test(spec)) return recogniseByName(spec, 'file');
  throw new DataError('not-found', `${spec} is neither a file nor a folder. ${waysToSay(spec)}`);
}

function recogniseByName(target: string, what: string): Recognised {
  const name = path.basename(target.replace(/[?#].*$/, '')).toLowerCase();
  const found = (kind: SourceKind, because: string): Recognised => ({
    kind,
    target,
    because: `the ${what} ${because}`,
  });
  if (name.endsWith('.tar')) return found('tar', 'ends in .tar');
  if (name.endsWith('.parquet')) return found('parquet', 'ends in .parquet');
  if (looksLikeIdx(name)) return found('idx', 'is named like IDX images');
  if (/\.(txt|tsv|lst|list)$/.test(name)) return found('list', 'is a text list');
  throw new DataError('unsupported-format', `${target}: ${adviceFor(name)} ${waysToSay(target)}`);
}

function adviceFor(name: string): string {
  if (hasImageExtension(name)) return 'this is one image; give the folder that holds it.';
  if (/\.(tgz|tar\.gz|tar\.(xz|bz2|zst))$/.test(name))
    return 'compressed archives cannot be read at random: unpack it.';
  if (/\.(zip|7z|rar)$/.test(name)) return 'unpack this archive first.';
  if (/\.bin$/.test(name)) return 'for CIFAR give the folder that holds the .bin files.';
  return 'this is not a kind of data set that is known by its name.';
}

async function recogniseFolder(root: string): Promise<Recognised> {
  const names = (await fs.readdir(root)).sort(byCodeUnit);
  const splits = await findSplitFolders(root);
  const found: Recognised[] = [];
  const add = (kind: SourceKind, because: string): void => {
    found.push({ kind, target: root, because: `the folder ${because}` });
  };
  if (looksLikeCifar(names)) add('cifar', 'holds CIFAR .bin files');
  if (names.some(looksLikeIdx)) add('idx', 'holds IDX image files');
  const nested = await namesBelow(root);
  if (nested.some((name) => name.endsWith('.parquet'))) add('parquet', 'holds .parquet files');
  if (nested.some((name) => name.endsWith('.tar'))) add('tar', 'holds .tar shards');
  const loose = names.some(hasImageExtension);
  if (splits.train && !loose) {
    if (nested.some(hasImageExtension) || found.length === 0) add('splits', 'has a train folder');
  } else if (nested.some(hasImageExtension) || found.length === 0) add('folder', 'holds images');
  if (found.length === 1) return found[0]!;
  const listed = found.map(({ kind, because }) => `${kind}:${root} (${because})`).join(' or ');
  throw new DataError('ambiguous-source', `${root} could mean ${listed}: say which`);
}

/** Names in the folder, and in some folders one and two levels below: enough to see which kinds of files there are. */
async function namesBelow(root: string): Promise<string[]> {
  const names: string[] = [];
  let level = [root];
  for (let depth = 0; depth <= 2; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      const entries = await fs.readdir(folder, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        names.push(entry.name.toLowerCase());
        if (!entry.isFile()) next.push(path.join(folder, entry.name));
      }
    }
    level = next.sort(byCodeUnit).slice(0, MAX_FOLDERS);
  }
  return names;
}

const waysToSay = (spec: string): string =>
  `A data set is a folder of images, .tar shards, .parquet files, CIFAR or IDX files, a .txt list, hf://owner/name, an ` +
  `official string such as ImageNet:split=TRAIN:root=/data, or one of flowers and world, which are built in; to say which, write e.g. folder:${spec}`;
