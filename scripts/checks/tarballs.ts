import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { type Outcome, publishedWorkspaces, run, type Workspace } from './workspace';

export type Tarball = Workspace & { path: string; files: string[] };

/** Packs every published package, as `npm publish` would, into `folder`. */
export async function packAll(folder: string): Promise<Tarball[]> {
  const packages = publishedWorkspaces();
  const selection = packages.flatMap((workspace) => ['--workspace', workspace.folder]);
  const packed = await run('npm', ['pack', '--json', '--silent', '--pack-destination', folder, ...selection]);
  if (!packed.ok) throw new Error(packed.output);
  const json = packed.output.slice(packed.output.search(/^[[{]/m));
  const results = Object.values(JSON.parse(json)) as { name: string; filename: string; files: { path: string }[] }[];
  return packages.map((workspace) => {
    const result = results.find(({ name }) => name === workspace.manifest.name);
    if (!result) throw new Error(`npm pack made nothing of ${workspace.manifest.name}`);
    return { ...workspace, path: join(folder, result.filename), files: result.files.map(({ path }) => path) };
  });
}

/** Installs the tarballs, and other packages by name and version, into the folder `project`, which becomes a package. */
export function installTarballs(
  tarballs: readonly Tarball[],
  project: string,
  others: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const dependencies = Object.fromEntries(tarballs.map(({ manifest, path }) => [manifest.name, `file:${path}`]));
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: { ...dependencies, ...others } }),
  );
  const quietly = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  return run('npm', ['install', ...quietly], { cwd: project });
}

/** publint and are-the-types-wrong (ESM only) on the packed files, and nothing in them that does not belong. */
export async function checkTarballs(tarballs: readonly Tarball[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { folder, manifest, path, files } of tarballs) {
    const bytes = readFileSync(path);
    const tarball = Uint8Array.from(bytes).buffer;
    const { messages } = await publint({ pack: { tarball }, strict: true });
    problems.push(...messages.map((message) => `${folder}: publint: ${formatMessage(message, manifest)}`));
    problems.push(...(await typeProblems(bytes)).map((problem) => `${folder}: are the types wrong: ${problem}`));
    const strays = files.filter(
      (file) => !/^(dist\/|presets\/[\w-]+\.yaml$|README\.md|LICENSE|CHANGELOG\.md|package\.json$)/.test(file),
    );
    problems.push(...strays.map((file) => `${folder}: ${file} should not be published`));
    for (const file of ['README.md', 'LICENSE']) {
      if (!files.includes(file)) problems.push(`${folder}: ${file} is not in the tarball`);
    }
  }
  return problems;
}

/** The packages are ESM only: what a CommonJS or pre-`exports` resolver makes of them is not asked. */
async function typeProblems(tarball: Uint8Array): Promise<string[]> {
  const result = await checkPackage(createPackageFromTarballData(tarball));
  if (!result.types) return ['it has no types'];
  const isLegacy = (problem: object) =>
    'resolutionKind' in problem && ['node10', 'node16-cjs'].includes(String(problem.resolutionKind));
  return result.problems.filter((problem) => !isLegacy(problem)).map((problem) => JSON.stringify(problem));
}
