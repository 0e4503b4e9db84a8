/** An empty project outside the repository, and what `npm install` puts into it. */
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Outcome, run } from '../workspace';

/** Makes a project that finds `@franca` packages at `registry`, and all others where npm is set to look for them. */
export function emptyProject(folder: string, registry?: string, dependencies: Record<string, string> = {}): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  const settings = ['prefer-offline', 'ignore-scripts', 'audit=false', 'fund=false', 'loglevel=error'];
  writeFileSync(
    join(folder, '.npmrc'),
    [...(registry ? [`@franca:registry=${registry}`] : []), ...settings, ''].join('\n'),
  );
}

export interface Installed extends Outcome {
  readonly seconds: number;
}

export async function npmInstall(folder: string, ...args: string[]): Promise<Installed> {
  const start = performance.now();
  const outcome = await run('npm', ['install', ...args], { cwd: folder });
  return { ...outcome, seconds: (performance.now() - start) / 1000 };
}

/** Bytes of the files below a folder; what links lead to is counted where it lies. */
export function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((bytes, entry) => bytes + lstatSync(join(entry.parentPath, entry.name)).size, 0);
}
