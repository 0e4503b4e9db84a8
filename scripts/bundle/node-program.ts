/**
 * The Node that runs this, for a machine that has none: its program, without symbols where there is `strip`, its licence, and what it and
 * the other binaries of a bundle ask of the machine.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../checks/workspace';
import { BundleError } from './errors';

/** What every Linux with glibc has. */
const OF_THE_SYSTEM = /^(linux-vdso|ld-linux-x86-64|lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s))\.so/;

/**
 * @throws {BundleError} on another platform than 64-bit Linux with glibc, or for a Node that is spread over the libraries of a system
 */
export async function refuseOtherPlatforms(): Promise<void> {
  const { platform, arch } = process;
  if (platform !== 'linux' || arch !== 'x64')
    throw new BundleError(
      `a bundle is for linux-x64 and is made of what is installed there; this is ${platform}-${arch}`,
    );
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  if (!header.glibcVersionRuntime)
    throw new BundleError(
      'a bundle is for systems with glibc, and this Node is for musl; make it on Debian or the like',
    );
  const { output } = await run('ldd', [process.execPath]);
  const own = output
    .split('\n')
    .map((line) => line.trim().split(/\s/)[0]!.replace(/^.*\//, ''))
    .filter((name) => name && !OF_THE_SYSTEM.test(name));
  if (own.length > 0)
    throw new BundleError(
      `${process.execPath} needs ${own.join(', ')} of this system; run this with a Node from https://nodejs.org`,
    );
}

/** Copies it as `bin/node` and its licence as `bin/LICENSE`; returns what is missing, a line each. */
export async function addNode(folder: string): Promise<string[]> {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const stripped = await copyStripped(realpathSync(process.execPath), join(bin, 'node'));
  const licence = nodeLicence();
  if (licence) copyFileSync(licence, join(bin, 'LICENSE'));
  return [
    ...(stripped
      ? []
      : ['there is no strip (apt-get install binutils): Node keeps its symbols and the bundle is larger']),
    ...(licence ? [] : [`the licence of Node is not beside it; add ${licenceAddress()} as bin/LICENSE`]),
  ];
}

/** Copies a binary without its symbols; with them, and false, where that cannot be. */
export async function copyStripped(from: string, to: string): Promise<boolean> {
  const { ok } = await run('strip', ['-o', to, from]);
  if (!ok) copyFileSync(from, to);
  return ok;
}

const licenceAddress = (): string => `https://raw.githubusercontent.com/nodejs/node/${process.version}/LICENSE`;

/** As it lies in nodejs.org's archives, and in packages of distributions. */
function nodeLicence(): string | undefined {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return [join(prefix, 'LICENSE'), join(prefix, 'share/doc/nodejs/LICENSE')].find((path) => existsSync(path));
}

/** The newest versions of glibc and of libstdc++ that binaries name, as they name them: `['GLIBC_2.34', 'GLIBCXX_3.4.30']`. */
export function systemVersions(binaries: readonly string[]): string[] {
  const newest = new Map<string, string>();
  for (const path of binaries)
    for (const [version, library = ''] of readFileSync(path, 'latin1').matchAll(
      /\b(GLIBC|GLIBCXX)_\d+(?:\.\d+)+(?=\0)/g,
    ))
      if (isNewer(version, newest.get(library))) newest.set(library, version);
  return ['GLIBC', 'GLIBCXX'].flatMap((library) => newest.get(library) ?? []);
}

function isNewer(version: string, than: string | undefined): boolean {
  if (!than) return true;
  return version.localeCompare(than, 'en', { numeric: true }) > 0;
}
