/**
 * The packages as their users get them: built, packed as `npm publish` would, and installed into an empty project outside the repository.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedWorkspaces, readManifest, run, type Workspace } from './workspace';

export interface Tarball extends Workspace {
  readonly path: string;
  readonly files: readonly string[];
}

export interface Published {
  readonly tarballs: readonly Tarball[];
  /** Where all of them are installed, with npm `webgpu` and the types of Node beside them. */
  readonly project: string;
}

/** Makes all of it in `folder`; throws with the output of the step that failed. */
export async function publish(folder: string): Promise<Published> {
  await succeed('turbo', ['run', 'build', '--continue', '--output-logs=errors-only']);
  const tarballs = await packAll(folder);
  const project = join(folder, 'project');
  mkdirSync(project);
  await install(tarballs, project);
  return { tarballs, project };
}

async function packAll(folder: string): Promise<Tarball[]> {
  const packages = publishedWorkspaces();
  const selection = packages.flatMap((workspace) => ['--workspace', workspace.folder]);
  const output = await succeed('npm', ['pack', '--json', '--silent', '--pack-destination', folder, ...selection]);
  const json = output.slice(output.search(/^[[{]/m));
  const results = Object.values(JSON.parse(json)) as { name: string; filename: string; files: { path: string }[] }[];
  return packages.map((workspace) => {
    const result = results.find(({ name }) => name === workspace.manifest.name);
    if (!result) throw new Error(`npm pack made nothing of ${workspace.manifest.name}`);
    return { ...workspace, path: join(folder, result.filename), files: result.files.map(({ path }) => path) };
  });
}

async function install(tarballs: readonly Tarball[], project: string): Promise<void> {
  const { devDependencies = {} } = readManifest('.');
  const dependencies = Object.fromEntries([
    ...tarballs.map(({ manifest, path }) => [manifest.name, `file:${path}`]),
    ...['webgpu', '@types/node'].map((name) => [name, devDependencies[name]]),
  ]);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  const quietly = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await succeed('npm', ['install', ...quietly], project);
}

async function succeed(program: string, args: string[], cwd?: string): Promise<string> {
  const { ok, output } = await run(program, args, { cwd });
  if (!ok) throw new Error(`${program} ${args[0]}: ${output.trim()}`);
  return output;
}
