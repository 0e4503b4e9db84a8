/** The PCI addresses of the graphics cards of a Linux machine, whether this process may use them or not. */
import { readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

const ADDRESS = /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/**
 * In ascending order, such as 0000:41:00.0; empty where the system names none.
 * @param root the folder that `sys` and `proc` are in
 */
export async function pciCards(root = '/'): Promise<string[]> {
  const drm = join(root, 'sys/class/drm');
  const nodes = await names(drm);
  const devices = nodes
    .filter((name) => name.startsWith('renderD'))
    .map((name) => readlink(join(drm, name, 'device')).then(basename, () => ''));
  // NVIDIA's driver has render nodes only with its module for displays.
  const nvidia = await names(join(root, 'proc/driver/nvidia/gpus'));
  const found = [...(await Promise.all(devices)), ...nvidia].map((name) => name.toLowerCase());
  return [...new Set(found)].filter((name) => ADDRESS.test(name)).sort();
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
