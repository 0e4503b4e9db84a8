/** `npm install`, unless it was run here, by this script or by hand, since the last change of a package.json. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { NPM_OPTIONS, readStamp, root, run, writeStamp } from './system.mjs';

export async function installDependencies() {
  const manifests = manifestFiles();
  const hash = hashOf(manifests);
  if (existsSync(join(root, 'node_modules')) && readStamp('install') === hash) return;
  if (!isInstalled(manifests)) {
    console.error('Installing npm packages (once; under a minute on most lines) ...');
    const result = await run('npm', ['install', '--no-audit', '--no-fund', ...NPM_OPTIONS]);
    if (!result.ok) {
      throw new SetupError(`npm install failed:\n${result.stderr}\nDoes the npm registry answer? (npm ping)`);
    }
  }
  writeStamp('install', hash);
}

/** npm writes its record of node_modules at the end of a successful install. */
function isInstalled(manifests) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const { mtimeMs } = statSync(record);
  return manifests.every((manifest) => statSync(manifest).mtimeMs < mtimeMs);
}

function hashOf(manifests) {
  const hash = createHash('sha256').update(process.versions.modules);
  for (const manifest of manifests) hash.update(manifest).update(readFileSync(manifest));
  return hash.digest('hex');
}

function manifestFiles() {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const folders = ['.', ...workspaces.flatMap(expand)];
  return folders.map((folder) => join(root, folder, 'package.json')).filter((path) => existsSync(path));
}

function expand(pattern) {
  if (!pattern.endsWith('/*')) return [pattern];
  const parent = pattern.slice(0, -2);
  if (!existsSync(join(root, parent))) return [];
  return readdirSync(join(root, parent)).map((name) => `${parent}/${name}`);
}
