/** What `npm run bundle` is asked for, and what it refuses before it begins. */
import { existsSync, mkdirSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { AppOptions } from './app';
import { megabytes } from './archive';
import { BundleError } from './errors';

export const HELP = `npm run bundle -- <folder> [options]

Writes franca-train as archives for a machine without a network (x86-64 Linux with glibc, a Vulkan driver):

  franca-train-<version>-linux-x64.tar.xz   Node, the program, all that it needs, the campaign for GPUs (at most 40 MB)
  franca-train-<version>-tests.tar.xz       vitest, the sources and their tests, to unpack over the first (at most 25 MB)
  SHA256SUMS

  <folder>            where to write them; it is made, or it is empty
  --with-vulkan       fail where apt-get cannot download the Vulkan loader; by default it is left out then, and that is said
  --without-vulkan    leave the Vulkan loader out: the machine has libvulkan.so.1
  --without-tests     the first archive alone
  --help

It takes about three minutes, and 500 MB in <folder> while it works. Programs that it runs: tar, xz; strip, apt-get and dpkg-deb where there are.`;

/** What is unpacked and packed meanwhile. */
const WORKING_BYTES = 500e6;

export interface Options {
  readonly folder: string;
  readonly vulkan: AppOptions['vulkan'];
  readonly tests: boolean;
}

/**
 * Undefined where help is asked for.
 * @throws {BundleError} for what it does not know
 */
export function readOptions(args: readonly string[]): Options | undefined {
  const flag = { type: 'boolean' } as const;
  const options = { 'with-vulkan': flag, 'without-vulkan': flag, 'without-tests': flag, help: flag };
  const { values, positionals } = parse(() => parseArgs({ args: [...args], options, allowPositionals: true }));
  if (values.help) return undefined;
  const [folder] = positionals;
  if (!folder || positionals.length > 1)
    throw new BundleError(
      `one folder is needed, and ${positionals.length} are given; npm run bundle -- --help says more`,
    );
  if (values['with-vulkan'] && values['without-vulkan'])
    throw new BundleError('--with-vulkan and --without-vulkan are both given; give one');
  const vulkan = values['with-vulkan'] ? 'yes' : values['without-vulkan'] ? 'no' : 'try';
  // npm runs scripts in the root of the repository, wherever it was called
  return { folder: resolve(process.env.INIT_CWD ?? '.', folder), vulkan, tests: !values['without-tests'] };
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new BundleError(`${(error as Error).message}; npm run bundle -- --help says more`);
  }
}

/**
 * Makes the folder of the archives.
 * @throws {BundleError} where there is something already, or what would stop the work after minutes
 */
export function prepare(folder: string): void {
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new BundleError(`${folder} is a file; name a folder`);
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new BundleError(`${folder} is not empty; name another folder, or empty it`);
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < WORKING_BYTES)
    throw new BundleError(
      `${folder} has room for ${megabytes(bavail * bsize)} and ${megabytes(WORKING_BYTES)} are needed meanwhile; name a folder with more`,
    );
}
