/**
 * Import direction: packages import only packages of lower layers, by their public names; folders inside a package do not import each
 * other in a circle; only tests reach outside their own package, and only into `test/support`; only `@franca/tensor` opens a device
 * through npm `webgpu`; and what a browser loads (every entry but those that `layers.ts` names) needs nothing of Node. (Circles of files are the linter's business.)
 */
import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { folderCircles } from './folder-circles';
import { isBrowserEntry, LAYERS, layerOf } from './layers';
import { type Import, importsOf, sourceFiles } from './source-imports';
import { entriesOf, root, workspaces } from './workspace';

export async function checkImports(): Promise<string[]> {
  const packages = workspaces().filter(({ folder }) => folder.startsWith('packages/'));
  const names = packages.map(({ folder }) => shortName(folder));
  const strangers = LAYERS.flat().filter((name) => !names.includes(name));
  return [
    ...strangers.map((name) => `scripts/checks/layers.ts: there is no package ${name}`),
    ...packages.flatMap(({ folder }) => checkPackage(folder)),
    ...workspaces().flatMap(({ folder }) => folderCircles(`${folder}/src`)),
    ...packages
      .flatMap(entriesOf)
      .filter(({ name }) => isBrowserEntry(name))
      .flatMap(({ source }) => checkBrowserEntry(source)),
  ];
}

function checkPackage(folder: string): string[] {
  const name = shortName(folder);
  const own = layerOf(name);
  if (own === undefined) return [`${folder}: name its layer in scripts/checks/layers.ts`];
  return sourceFiles(`${folder}/src`).flatMap((file) =>
    importsOf(file).flatMap((found) => {
      const problem = judge(file, found, name, own);
      return problem ? [`${file}:${found.line}: ${problem}`] : [];
    }),
  );
}

function judge(file: string, { specifier, target }: Import, name: string, own: number): string | undefined {
  const isTest = file.endsWith('.test.ts');
  const isInside = target?.startsWith(`packages/${name}/`) || (isTest && target?.startsWith('test/support/'));
  if (target && !isInside) return `imports ${target}: another package is imported by its name, never by its path`;
  if (specifier === 'webgpu' && name !== 'tensor' && !isTest)
    return 'only @franca/tensor/node opens a device through npm webgpu';
  const sibling = /^@franca\/([^/]+)/.exec(specifier)?.[1];
  if (!sibling) return undefined;
  if (sibling === name) return `imports its own package by name; use a relative path`;
  const layer = layerOf(sibling);
  if (layer === undefined) return `imports ${specifier}, which is no package of this repository`;
  if (layer >= own) return `imports @franca/${sibling}, which is not in a lower layer (scripts/checks/layers.ts)`;
  return undefined;
}

/** Follows the imports that remain at run time from an entry. */
function checkBrowserEntry(entry: string): string[] {
  if (!existsSync(join(root, entry))) return [`${entry} is missing`];
  const problems: string[] = [];
  const seen = new Set([entry]);
  for (const file of seen) {
    for (const { specifier, line, typeOnly, target } of importsOf(file)) {
      if (typeOnly) continue;
      if (target) seen.add(target);
      else if (needsNode(specifier)) {
        problems.push(`${file}:${line}: imports ${specifier}, but a browser loads this file through ${entry}`);
      }
    }
  }
  return problems;
}

function needsNode(specifier: string): boolean {
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return true;
  const [, name, entry] = /^@franca\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? [];
  if (name !== undefined) return !isBrowserEntry(entry === undefined ? name : `${name}/${entry}`);
  return ['webgpu', 'sharp', 'koffi', 'tar-stream', 'undici'].includes(specifier);
}

function shortName(folder: string): string {
  return folder.slice('packages/'.length);
}
