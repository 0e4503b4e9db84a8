/**
 * Turns the changesets into versions and changelogs: `npm run versions`. All packages share one version, since they ask for one copy of the engine.
 *
 * Changesets takes a new minor version of a peer for a breaking change of whoever asks for it and would make that 1.0.0. So the peers of this
 * repository are dependencies while it counts.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Manifest, publishedWorkspaces, root } from './checks/workspace';

type Ranges = Record<string, string>;

const FILES = publishedWorkspaces().map(({ folder }) => join(root, folder, 'package.json'));

/** Rewrites every package.json. */
function rewrite(change: (manifest: Manifest) => Manifest): void {
  for (const file of FILES) {
    const manifest = change(JSON.parse(readFileSync(file, 'utf8')));
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

const peersOf = ({ peerDependencies = {} }: Manifest): string[] =>
  Object.keys(peerDependencies).filter((name) => name.startsWith('@franca/'));

const pick = (ranges: Ranges, isWanted: (name: string) => boolean): Ranges =>
  Object.fromEntries(Object.entries(ranges).filter(([name]) => isWanted(name)));

const before = new Map<string, Manifest>();
rewrite((manifest) => {
  before.set(manifest.name, manifest);
  const peers = peersOf(manifest);
  const { peerDependencies = {}, dependencies = {} } = manifest;
  return peers.length === 0
    ? manifest
    : {
        ...manifest,
        dependencies: { ...dependencies, ...pick(peerDependencies, (name) => peers.includes(name)) },
        peerDependencies: pick(peerDependencies, (name) => !peers.includes(name)),
      };
});
const changesets = createRequire(import.meta.url).resolve('@changesets/cli/bin.js');
const { status } = spawnSync(process.execPath, [changesets, 'version'], { cwd: root, stdio: 'inherit' });
rewrite((manifest) => {
  const old = before.get(manifest.name) ?? manifest;
  const ranges = { ...manifest.peerDependencies, ...manifest.dependencies };
  const renewed = (names: Ranges | undefined): Ranges | undefined =>
    names && Object.fromEntries(Object.keys(names).map((name) => [name, ranges[name] ?? names[name] ?? '*']));
  // the order of fields is that of before
  return Object.fromEntries(
    Object.entries({ ...old, version: manifest.version }).map(([field, value]) => [
      field,
      field === 'dependencies' || field === 'peerDependencies' ? renewed(value as Ranges) : value,
    ]),
  ) as Manifest;
});
process.exitCode = status ?? 1;
