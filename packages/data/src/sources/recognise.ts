/**
 * Finds out what a user's text means as a data set, and says why.
 *
 * In this order: an explicit kind (`folder:PATH`, `tar:PATH` ...), a hub address, an official data set string, a web address,
 * the built-in `flowers` and `world`, a published data set as it was downloaded, then whatever lies at that path. The kinds tell of themselves what they look like. A
 * folder that holds nothing but a data set with train and val folders stands for it. A folder that holds several kinds of data or
 * several data sets, or a file of no known kind, is an error that lists the ways to say what is meant.
 */

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { checkArgument, DataError } from '../errors';
import { listFolder } from '../files/file-system';
import { isAddress } from '../files/open-file';
import { hasImageExtension } from '../images/image-format';
import { recogniseBenchmark } from './benchmarks/benchmarks';
import { byCodeUnit } from './by-code-unit';
import { SOURCE_KINDS, type SourceKindName } from './kinds';
import { isPassedOver } from './passed-over';
import { findSplitFolders, otherFolders, type SplitFolders } from './split-folders';

const MAX_FOLDERS = 20;

/** What a text was taken for. */
export interface Recognised {
  readonly kind: SourceKindName;
  /** The path, address or string without its kind. */
  readonly target: string;
  /** For messages: why. */
  readonly because: string;
  /** What to tell whoever gave the text: it stands for a folder further down. */
  readonly note?: string;
}

const kinds = Object.values(SOURCE_KINDS);

/**
 * Recognises a data set. Looks at names only; no file is read.
 * @throws DataError not-found, ambiguous-source, unsupported-format
 */
export async function recogniseSource(spec: string): Promise<Recognised> {
  checkArgument('opening a data set', 'spec', spec, 'string');
  const explicit = kinds.find(({ kind, prefixed }) => prefixed && spec.startsWith(`${kind}:`))?.kind;
  if (explicit)
    return { kind: explicit, target: spec.slice(explicit.length + 1), because: `it begins with ${explicit}:` };
  for (const { kind, ofText } of kinds) {
    const because = ofText?.(spec);
    if (because) return { kind, target: spec, because };
  }
  if (isAddress(spec)) return recogniseByName(spec, 'address');
  const info = await fs.stat(spec).catch(() => undefined);
  const named = kinds.find(({ kind, builtIn }) => builtIn && kind === spec);
  if (named) {
    const { kind, builtIn } = named;
    if (!info) return { kind, target: '', because: `${kind} is the name of a built-in data set` };
    throw new DataError(
      'ambiguous-source',
      `${kind} is a built-in data set and a path here: write ./${kind} or ${builtIn}`,
    );
  }
  if (info?.isDirectory()) return recogniseFolder(spec);
  // Shards of a brace pattern need not exist under the pattern itself.
  if (info?.isFile() || /\{\d+\.\.\d+\}/.test(spec)) return recogniseByName(spec, 'file');
  throw new DataError('not-found', `${spec} is neither a file nor a folder; ${waysToSay(spec)}`);
}

function recogniseByName(target: string, what: string): Recognised {
  const name = path.basename(target.replace(/[?#].*$/, '')).toLowerCase();
  for (const { kind, ofFile } of kinds) {
    const because = ofFile?.(name);
    if (because) return { kind, target, because: `the ${what} ${because}` };
  }
  throw new DataError('unsupported-format', `${target}: ${adviceFor(name)}; ${waysToSay(target)}`);
}

function adviceFor(name: string): string {
  if (hasImageExtension(name)) return 'this is one image; give the folder that holds it';
  if (/\.(tgz|tar\.gz|tar\.(xz|bz2|zst))$/.test(name)) return 'compressed archives cannot be read at random: unpack it';
  if (/\.(zip|7z|rar)$/.test(name)) return 'unpack this archive first';
  if (/\.bin$/.test(name)) return 'for CIFAR give the folder that holds the .bin files';
  return 'this is not a kind of data set that is known by its name';
}

async function recogniseFolder(root: string): Promise<Recognised> {
  const published = await recogniseBenchmark(root);
  if (published)
    return {
      kind: 'benchmark',
      target: root,
      because: `${published.folder} holds the files of ${published.layout.facts.title}: ${published.layout.lies}`,
    };
  const names = (await listFolder(root)).filter((name) => !isPassedOver(name)).sort(byCodeUnit);
  const flat = names.some(hasImageExtension);
  const parts = flat ? {} : await findSplitFolders(root);
  const hasParts = parts.train !== undefined;
  if (!flat && !hasParts) {
    const inner = await folderOfParts(root, parts);
    if (inner)
      return {
        ...(await recogniseFolder(inner)),
        note: `${root} stands for ${inner}, the one folder in it that holds parts`,
      };
  }
  const note = hasParts ? await unusedFolders(root, parts) : undefined;
  const nested = await namesBelow(root);
  const found: Recognised[] = [];
  for (const { kind, ofFolder } of kinds) {
    const because = ofFolder?.({ names, nested, hasParts, taken: found.length > 0 });
    if (because) found.push({ kind, target: root, because: `the folder ${because}` });
  }
  if (found.length === 1) return { ...found[0]!, ...(note && { note }) };
  const listed = found.map(({ kind, because }) => `${kind}:${root} (${because})`).join(' or ');
  throw new DataError('ambiguous-source', `${root} could mean ${listed}: say which`);
}

/**
 * The one folder below `root` that holds the parts of a data set, where `root` holds no training part itself.
 * @throws DataError ambiguous-source where there are several, or other data beside it, or parts of which none is for training
 */
async function folderOfParts(root: string, { val, test }: SplitFolders): Promise<string | undefined> {
  const refused = (what: string, ways: readonly string[]): DataError =>
    new DataError('ambiguous-source', `${root} ${what}; give ${ways.join(' or ')}`);
  const own = [...new Set([val, test])].filter((each) => each !== undefined);
  if (own.length > 1) throw refused(`holds ${own.map((each) => path.basename(each)).join(' and ')} but no train`, own);
  const found = await foldersWithParts(root);
  const [inner] = found;
  const all = `folder:${root} for all their images`;
  if (!inner) {
    const beside = own.length > 0 ? await dataBeside(root) : [];
    if (beside.length === 0) return undefined;
    const what = `holds ${path.basename(own[0]!)} and ${beside.slice(0, 3).join(', ')} but no train folder`;
    throw refused(what, [own[0]!, `${all}, or move training classes into ${path.join(root, 'train')}`]);
  }
  if (found.length > 1) throw refused('holds several folders with parts of their own', [...found.slice(0, 4), all]);
  for (let at = inner; at !== root; at = path.dirname(at)) {
    const beside = await otherFolders(path.dirname(at));
    for (const other of [...beside.map((name) => path.join(path.dirname(at), name)), ...own])
      if (other !== at && (await holdsData(other)))
        throw refused(`holds a data set with parts in ${inner} and other data in ${other}`, [inner, all]);
  }
  return inner;
}

/** Folders with a training or validation part that holds data, at most three levels below `root`; not looked for in each other. */
async function foldersWithParts(root: string): Promise<string[]> {
  const found: string[] = [];
  let level = [root];
  for (let depth = 0; depth < 3; depth++) {
    const next: string[] = [];
    for (const folder of level)
      for (const name of (await otherFolders(folder)).slice(0, MAX_FOLDERS)) {
        const inner = path.join(folder, name);
        const { train, val } = await findSplitFolders(inner);
        if ((train && (await holdsData(train))) || (val && (await holdsData(val)))) found.push(inner);
        else next.push(inner);
      }
    level = next.slice(0, MAX_FOLDERS);
  }
  return found;
}

const holdsData = async (folder: string): Promise<boolean> => (await namesBelow(folder)).some(isData);

/**
 * What lies beside the parts, in words.
 * @throws DataError ambiguous-source where a folder called train, without one for validation, may be a class: trains, buses, cars
 */
async function unusedFolders(root: string, { val }: SplitFolders): Promise<string | undefined> {
  const unused = await dataBeside(root);
  if (unused.length === 0) return undefined;
  if (val) return `${root}: images in ${unused.join(', ')} are not used; they lie beside the parts`;
  throw new DataError(
    'ambiguous-source',
    `${root} has a train folder and no val folder, and images in ${unused[0]} too: write splits:${root} to train on the ` +
      `train folder, or folder:${root} where it is a class like ${unused[0]}`,
  );
}

/** Folders below `root` that are no parts and hold data; the first of them. */
async function dataBeside(root: string): Promise<string[]> {
  const names = (await otherFolders(root)).slice(0, MAX_FOLDERS);
  const are = await Promise.all(names.map((name) => holdsData(path.join(root, name))));
  return names.filter((_, at) => are[at]);
}

const isData = (name: string): boolean => hasImageExtension(name) || /\.(tar|parquet)$/.test(name);

/** Names in the folder, and in some folders one to three levels below: enough to see which kinds of files there are. */
async function namesBelow(root: string): Promise<string[]> {
  const names: string[] = [];
  let level = [root];
  for (let depth = 0; depth <= 3; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      const entries = await fs.readdir(folder, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (isPassedOver(entry.name)) continue;
        names.push(entry.name.toLowerCase());
        if (!entry.isFile()) next.push(path.join(folder, entry.name));
      }
    }
    level = next.sort(byCodeUnit).slice(0, MAX_FOLDERS);
  }
  return names;
}

/** What a data set can be, the most general first. */
function waysToSay(spec: string): string {
  const listed = kinds.toReversed().filter(({ builtIn }) => !builtIn);
  const builtIn = kinds.toReversed().filter((each) => each.builtIn);
  return (
    `A data set is ${listed.map(({ says }) => says).join(', ')}, or one of ${builtIn.map(({ kind }) => kind).join(' and ')}, ` +
    `which are built in; to say which, write e.g. folder:${spec}`
  );
}
