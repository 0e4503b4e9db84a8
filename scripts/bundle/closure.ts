/**
 * What a program needs of `node_modules`: the packages that it names, those that they name, and so on. They are found where Node would find
 * them, beginning in the folder of whoever asks, so that what is copied to the same places is found there again.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { publishedWorkspaces, root } from '../checks/workspace';
import { BundleError } from './errors';

export interface Part {
  readonly name: string;
  readonly version: string;
  /** The SPDX expression of its package.json. */
  readonly licence: string;
  /** Where it lies here. */
  readonly folder: string;
  /** Where it lies in the bundle: `node_modules/zod`. */
  readonly place: string;
  /** What npm would publish of a package of this repository; undefined where all of it was installed. */
  readonly published: readonly string[] | undefined;
}

/** Types alone: nothing of them runs. */
const NOTHING_TO_RUN = /^@types\/|^@webgpu\/types$/;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * The packages that `names` need, themselves included, without those in `leaveOut`. What is optional is taken where it is installed, as the
 * binaries for this platform are; peers that are optional are not.
 * @throws {BundleError} for a package that is not installed
 */
export function closure(names: readonly string[], leaveOut: readonly string[] = []): Part[] {
  const parts = new Map<string, Part>();
  const visit = (name: string, from: string, optional: boolean): void => {
    if (leaveOut.includes(name) || NOTHING_TO_RUN.test(name)) return;
    const folder = installed(name, from);
    if (!folder && optional) return;
    if (!folder) throw new BundleError(`${name} is not installed, and ${from} needs it; run npm install first`);
    if (parts.has(folder)) return;
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    parts.set(folder, partOf(folder, manifest));
    for (const [needed, isOptional] of needs(manifest)) visit(needed, folder, isOptional);
  };
  for (const name of names) visit(name, root, false);
  return [...parts.values()].sort((a, b) => (a.place < b.place ? -1 : 1));
}

function needs({ peerDependenciesMeta: meta = {}, ...manifest }: Manifest): [name: string, optional: boolean][] {
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter((name) => !meta[name]?.optional);
  const optional = Object.keys(manifest.optionalDependencies ?? {});
  const required = [...Object.keys(manifest.dependencies ?? {}), ...peers].filter((name) => !optional.includes(name));
  return [
    ...required.map((name): [string, boolean] => [name, false]),
    ...optional.map((name): [string, boolean] => [name, true]),
  ];
}

/** The folder that Node would take for `name` in a file of `from`, without links. */
function installed(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (existsSync(join(path, 'package.json'))) return realpathSync(path);
    if (folder === dirname(folder)) return undefined;
  }
}

function partOf(folder: string, { name, version, license = 'not stated', files }: Manifest): Part {
  const path = relative(realpathSync(root), folder).replaceAll('\\', '/');
  const workspace = publishedWorkspaces().find((one) => path === one.folder || path.startsWith(`${one.folder}/`));
  const below = workspace ? path.slice(workspace.folder.length) : '';
  const place = workspace ? `node_modules/${workspace.manifest.name}${below}` : path;
  if (!place.startsWith('node_modules/'))
    throw new BundleError(`${name} is installed outside of this repository, in ${folder}; run npm install here`);
  const published = workspace && !below ? [...(files ?? []), 'package.json', 'LICENSE'] : undefined;
  return { name, version, licence: license, folder, place, published };
}
