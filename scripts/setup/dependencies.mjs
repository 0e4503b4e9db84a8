import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStamp, root, run, SetupError, writeStamp } from './system.mjs';

/** `npm install`, unless no package.json changed since it last succeeded here. */
export async function installDependencies() {
  const manifests = hashManifests();
  if (existsSync(join(root, 'node_modules')) && readStamp('install') === manifests) return;
  console.error('Installing npm packages (once; under a minute on most lines) ...');
  // Some registries drop a connection now and then; a second attempt continues from npm's cache.
  const result = (await npmInstall()).ok || (await npmInstall());
  if (result !== true && !result.ok) {
    throw new SetupError(`npm install failed:\n${result.stderr}\nIs the npm registry reachable? (npm ping)`);
  }
  writeStamp('install', manifests);
}

function npmInstall() {
  return run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error']);
}

function hashManifests() {
  const hash = createHash('sha256').update(process.versions.modules);
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const folder of ['.', ...workspaces.flatMap(expand)]) {
    const manifest = join(root, folder, 'package.json');
    if (existsSync(manifest)) hash.update(folder).update(readFileSync(manifest));
  }
  return hash.digest('hex');
}

function expand(pattern) {
  if (!pattern.endsWith('/*')) return [pattern];
  const parent = pattern.slice(0, -2);
  if (!existsSync(join(root, parent))) return [];
  return readdirSync(join(root, parent)).map((name) => `${parent}/${name}`);
}
