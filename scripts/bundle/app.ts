/** The first archive: `franca-train` with Node, what it needs to run, and the campaign for GPUs where it is built. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest, root } from '../checks/workspace';
import { closure, type Part } from './closure';
import { filesBelow } from './contents';
import { BundleError } from './errors';
import { addEnvironment, addLauncher, FRANCA_TRAIN, GPU_CAMPAIGN } from './launchers';
import { addNode, systemVersions } from './node-program';
import { addParts, copyFile, notices } from './parts';
import { appReadme } from './readme';
import { addVulkan } from './vulkan';

export interface AppOptions {
  /** Whether the Vulkan loader goes in: `try` takes it where apt has it. */
  readonly vulkan: 'yes' | 'no' | 'try';
  /** A folder for what is downloaded. */
  readonly scratch: string;
}

export interface Built {
  /** Lines for the screen: what is in it that one might not expect, and what is not. */
  readonly notes: readonly string[];
  /** Packages of npm in it. */
  readonly parts: readonly Part[];
}

/** What the program and the campaign need, of which bundles for tests need only the rest. */
export const appParts = (): Part[] => closure(['franca-train']);

/**
 * Fills `folder`.
 * @throws {BundleError} with `vulkan: 'yes'`, where the loader cannot be had
 */
export async function buildApp(folder: string, { vulkan, scratch }: AppOptions): Promise<Built> {
  mkdirSync(folder, { recursive: true });
  const loader = vulkan === 'no' ? 'the Vulkan loader was not asked for' : await addVulkan(folder, scratch);
  if (vulkan === 'yes' && typeof loader === 'string')
    throw new BundleError(`${loader}; without --with-vulkan it is left out`);
  const parts = appParts();
  await addParts(folder, parts);
  const notes = await addNode(folder);
  addEnvironment(folder);
  addLauncher(folder, FRANCA_TRAIN);
  const campaign = addCampaign(folder);
  copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const libraries = typeof loader === 'string' ? [] : loader.packages;
  const more = [`| Node | ${process.version} | MIT and others | bin/LICENSE |`, ...libraries.map(debianNotice)];
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.md'), notices(parts, more));
  const binaries = filesBelow(folder).filter((path) => /\.node$|\.so\.[\d.]+$|^bin\/node$/.test(path));
  const readme = {
    version: readManifest('apps/train').version,
    dawn: parts.find(({ name }) => name === 'webgpu')!.version,
    libraries,
    system: systemVersions(binaries.map((path) => join(folder, path))),
    campaign,
  };
  writeFileSync(join(folder, 'README.md'), appReadme(readme));
  return {
    notes: [
      ...notes,
      ...(campaign ? [] : ['the campaign for GPUs is not built, and not in it']),
      ...(typeof loader === 'string' ? [`${loader}: a machine needs libvulkan.so.1 of its own`] : []),
    ],
    parts,
  };
}

/** The campaign as it is built, and the sources that it compiles on a GPU's machine; whether there is one. */
function addCampaign(folder: string): boolean {
  if (!existsSync(join(root, 'scripts/gpu-campaign.mjs')) || !existsSync(join(root, 'bench/dist/campaign.js')))
    return false;
  const built = filesBelow(join(root, 'bench/dist')).map((path) => `bench/dist/${path}`);
  const foreign = filesBelow(join(root, 'bench/src')).map((path) => `bench/src/${path}`);
  const files = [
    ...['scripts/gpu-campaign.mjs', 'bench/package.json'],
    ...built.filter((path) => !path.endsWith('.map')),
    ...foreign.filter((path) => /\.(py|cu)$/.test(path)),
  ];
  for (const path of files) copyFile(join(root, path), join(folder, path));
  addLauncher(folder, GPU_CAMPAIGN);
  return true;
}

function debianNotice(item: string): string {
  const [name, version] = item.split(' ');
  return `| ${name} (Debian package) | ${version} | see there | lib/copyright/${name} |`;
}
