/**
 * The packages as their users get them: built, packed as `npm publish` would, served by a registry, and all of them installed into one empty
 * project outside the repository, in the ordinary layout of npm.
 */
import { join } from 'node:path';
import { emptyProject, npmInstall } from './consumer/project';
import { type Registry, serveRegistry } from './consumer/registry';
import { publishedWorkspaces, readManifest, run, type Workspace } from './workspace';

export interface Tarball extends Workspace {
  readonly path: string;
  readonly files: readonly string[];
}

export interface Published {
  readonly tarballs: readonly Tarball[];
  /** Where all of them are installed, with npm `webgpu`, `koffi` and the types of Node beside them. */
  readonly project: string;
  /** Where `npm install` finds them. */
  readonly registry: Registry;
  /** For further projects. */
  readonly folder: string;
}

/** Makes all of it in `folder`; throws with the output of the step that failed. */
export async function publish(folder: string): Promise<Published> {
  await succeed('turbo', ['run', 'build', '--continue', '--output-logs=errors-only']);
  const tarballs = await packAll(folder);
  const registry = await serveRegistry(tarballs);
  const project = join(folder, 'project');
  emptyProject(project, registry.url, wanted(tarballs));
  const { ok, output } = await npmInstall(project);
  if (!ok) throw new Error(`npm install of all packages: ${output.trim()}`);
  return { tarballs, project, registry, folder };
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

/** The program has no scope, by which npm would find the registry: its tarball stands for it. */
function wanted(tarballs: readonly Tarball[]): Record<string, string> {
  const { devDependencies = {} } = readManifest('.');
  return Object.fromEntries([
    ...tarballs.map(({ manifest: { name, version }, path }) => [name, name.startsWith('@') ? version : `file:${path}`]),
    ...['webgpu', 'koffi', '@types/node'].map((name) => [name, devDependencies[name]]),
  ]);
}

async function succeed(program: string, args: string[], cwd?: string): Promise<string> {
  const { ok, output } = await run(program, args, { cwd });
  if (!ok) throw new Error(`${program} ${args[0]}: ${output.trim()}`);
  return output;
}
