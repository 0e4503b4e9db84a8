/** What the checks share: the packages of this repository, running a program, and a folder for a while. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

export interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  [field: string]: unknown;
}

export interface Workspace {
  /** Relative to the root: `packages/vit`. */
  folder: string;
  manifest: Manifest;
}

/** Every workspace of the root package.json that has a manifest, in the order of their folders. */
export function workspaces(): Workspace[] {
  const { workspaces: patterns } = readManifest('.') as Manifest & { workspaces: string[] };
  const folders = patterns.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [pattern];
    const parent = pattern.slice(0, -2);
    return existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [];
  });
  return folders
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readManifest(folder) }));
}

/** The workspaces that go to the registry. */
export function publishedWorkspaces(): Workspace[] {
  return workspaces().filter(({ manifest }) => !manifest.private);
}

/** An entry of a package: what `exports` of its package.json names. */
export interface Entry {
  /** Without the scope: `vit`, `sinkhorn/arrays`. */
  name: string;
  /** What it is built from, relative to the root. */
  source: string;
}

/** The entries of a package of `packages/`. */
export function entriesOf({ folder, manifest }: Workspace): Entry[] {
  const keys = Object.keys(manifest.exports ?? {}).filter((key) => !key.endsWith('.json'));
  return keys.map((key) => ({
    name: folder.slice('packages/'.length) + key.slice(1),
    source: `${folder}/src/${key === '.' ? 'index' : key.slice(2)}.ts`,
  }));
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The package.json of a folder. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readText(`${folder}/package.json`));
}

export interface Outcome {
  ok: boolean;
  output: string;
}

/** Runs a program to its end and collects stdout and stderr together; a program that outlives `timeout` ms has failed. */
export function run(
  program: string,
  args: string[],
  { cwd = root, timeout = 300_000 }: { cwd?: string; timeout?: number } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, timeout, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code, signal) => {
      if (signal) output += `\nended by ${signal} (limit ${timeout / 1000} s)`;
      resolve({ ok: code === 0, output });
    });
  });
}

/** Hands `use` a fresh folder outside the repository and removes it afterwards. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'franca-check-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
