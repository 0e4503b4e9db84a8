/**
 * The Vulkan loader, and what NVIDIA's driver needs beside it, for a machine whose image has a driver and nothing of a desktop: libraries of
 * Debian's packages, each in a folder of its name, so that one which the machine has itself is left alone (see `files/environment.sh`).
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../checks/workspace';
import { filesBelow } from './contents';

/** The loader; the dispatch of libglvnd, by which a driver without a screen is found; the X libraries that `libGLX_nvidia` is linked with. */
const PACKAGES = [
  ...['libvulkan1', 'libglvnd0', 'libegl1', 'libglx0'],
  ...['libx11-6', 'libxext6', 'libxcb1', 'libxau6', 'libxdmcp6', 'libbsd0', 'libmd0'],
];

export interface Vulkan {
  /** `libvulkan1 1.3.239.0-1`. */
  readonly packages: readonly string[];
}

/** Fills `lib` of a bundle; downloads into `scratch`. What is missing, in a line, where apt cannot give them. */
export async function addVulkan(folder: string, scratch: string): Promise<Vulkan | string> {
  mkdirSync(scratch, { recursive: true });
  const downloaded = await run('apt-get', ['download', '-q', ...PACKAGES], { cwd: scratch, timeout: 120_000 });
  if (!downloaded.ok) return `the Vulkan loader was not downloaded (${reasonOf(downloaded.output)})`;
  const archives = readdirSync(scratch).filter((name) => name.endsWith('.deb'));
  const root = join(scratch, 'root');
  for (const archive of archives) {
    const { ok, output } = await run('dpkg-deb', ['-x', join(scratch, archive), root]);
    if (!ok) return `the Vulkan loader was not unpacked (${output.trim()})`;
  }
  const lib = join(folder, 'lib');
  for (const path of filesBelow(root)) {
    const soname = /\.so\.\d+[^/]*$/.test(path) ? sonameOf(join(root, path)) : undefined;
    if (soname) copyTo(join(root, path), join(lib, soname), soname);
    const owner = /^usr\/share\/doc\/([^/]+)\/copyright$/.exec(path)?.[1];
    if (owner) copyTo(join(root, path), join(lib, 'copyright'), owner);
  }
  if (!existsSync(join(lib, 'libvulkan.so.1'))) return 'the package libvulkan1 holds no libvulkan.so.1';
  return {
    packages: archives
      .map((name) => basename(name, '.deb').split('_').slice(0, 2).join(' ').replace('%3a', ':'))
      .sort(),
  };
}

const copyTo = (from: string, folder: string, name: string): void => {
  mkdirSync(folder, { recursive: true });
  copyFileSync(from, join(folder, name));
};

/** `libX11.so.6` of `libX11.so.6.4.0`, as long as the library says so itself. */
function sonameOf(path: string): string | undefined {
  const soname = /^(.*\.so\.\d+)/.exec(basename(path))?.[1];
  return soname && readFileSync(path, 'latin1').includes(`\0${soname}\0`) ? soname : undefined;
}

function reasonOf(output: string): string {
  const [first = 'no apt-get'] = output.match(/^E: .*$/m) ?? (output.includes('ENOENT') ? [] : [output.trim()]);
  return first.replace(/^E: /, '');
}
