/**
 * A machine that has nothing, as far as one can be had here: a root folder with a shell, the C and C++ libraries and Mesa's driver for the
 * processor, entered without a network, without an environment, by a user who has no home and owns nothing.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Outcome, run } from './workspace';

const MANIFESTS = '/usr/share/vulkan/icd.d';
/** The one folder of it that its user may write to. */
export const WRITABLE = '/tmp';
const LIBRARIES = '/usr/lib/x86_64-linux-gnu';

/** Why there can be none here; undefined where there can. */
export async function whyNoBareRoot(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux may enter one';
  if (!manifest()) return "Mesa's lavapipe is not installed";
  const { ok, output } = await run('unshare', ['--net', '--mount', 'mount', '-t', 'proc', 'proc', '/proc']);
  return ok ? undefined : `unshare is not allowed here (${output.trim()})`;
}

/** What libc6, libgcc-s1 and libstdc++6 are, which no bundle brings. */
const SYSTEM = ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'libresolv.so.2']
  .concat(['libgcc_s.so.1', 'libstdc++.so.6'])
  .map((name) => join(LIBRARIES, name));

/** Fills `folder`. */
export async function makeBareRoot(folder: string): Promise<void> {
  for (const name of ['proc', 'dev', WRITABLE, 'bin', 'lib64', 'opt'])
    mkdirSync(join(folder, name), { recursive: true });
  chmodSync(join(folder, WRITABLE), 0o1777);
  const driver = manifest()!;
  const library = /"library_path":\s*"([^"]+)"/.exec(readFileSync(driver, 'utf8'))![1]!;
  const place = library.startsWith('/') ? library : join(LIBRARIES, library);
  const needed = await Promise.all(['/bin/sh', place].map(librariesOf));
  for (const path of ['/bin/sh', driver, place, ...SYSTEM, ...needed.flat()]) copyInto(folder, path);
}

function manifest(): string | undefined {
  const name = existsSync(MANIFESTS) && readdirSync(MANIFESTS).find((entry) => /^lvp_icd.*\.json$/.test(entry));
  return name ? join(MANIFESTS, name) : undefined;
}

/** Where the linker finds the libraries of the system that a binary is linked with, and itself. */
async function librariesOf(path: string): Promise<string[]> {
  const { output } = await run('ldd', [path]);
  return [...output.matchAll(/(\/\S+) \(0x/g)].map(([, library = '']) => library);
}

/** To the folders in which every linker looks, without links. */
function copyInto(folder: string, path: string): void {
  const isLibrary = /\.so(\.|$)/.test(path) && !path.startsWith('/lib64/');
  const to = join(folder, isLibrary ? join(LIBRARIES.slice('/usr'.length), basename(path)) : path);
  mkdirSync(dirname(to), { recursive: true });
  if (!existsSync(to)) copyFileSync(realpathSync(path), to);
}

/** Mounts end with the namespace. `opt` cannot be written; everything else belongs to root, but `tmp`. */
const ENTER = `set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --bind "$1/opt" "$1/opt"
mount -o remount,bind,ro "$1/opt"
chroot=$(command -v chroot)
root=$1
shift
exec env -i "$chroot" --userspec=65534:65534 "$root" "$@"`;

/** Runs a program of the root `folder` in it, and in its `/`. */
export const inBareRoot = (folder: string, command: readonly string[]): Promise<Outcome> =>
  run('unshare', ['--net', '--mount', 'sh', '-c', ENTER, 'sh', folder, ...command]);
