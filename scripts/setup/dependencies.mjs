/**
 * `npm install`, unless it was run here, by this script or by hand, since the last change of a package.json.
 *
 * npm trusts a folder of a package that is there, even one whose files were cut off. An installation that did not come to its end is
 * therefore begun anew: while one is under way a mark lies beside the packages, and where that, or npm's own record of what is installed,
 * says that one was not finished, `node_modules` goes first. What was downloaded stays in the cache of npm.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SetupError } from './errors.mjs';
import { networkFailure, npmFailure } from './failures.mjs';
import { stage } from './stages.mjs';
import { NPM_OPTIONS, readStamp, root, run, writeStamp } from './system.mjs';

const modules = join(root, 'node_modules');
/** npm writes it at the end of a successful installation. */
const record = join(modules, '.package-lock.json');
const mark = join(modules, '.cache', 'franca', 'installing');

export async function installDependencies() {
  const manifests = manifestFiles();
  const hash = hashOf(manifests);
  const begun = existsSync(mark);
  if (!begun && existsSync(record) && readStamp('install') === hash) return;
  if (begun || !isInstalled(manifests)) {
    await stage('npm packages', 'installing 350 of them, 980 MB, once', () => install(begun));
  }
  writeStamp('install', hash);
}

const NEEDED = 1080e6;

async function install(begun) {
  const anew = begun || !existsSync(record);
  try {
    if (anew) rmSync(modules, { recursive: true, force: true });
    mkdirSync(dirname(mark), { recursive: true });
    writeFileSync(mark, '');
  } catch (error) {
    throw new SetupError(`${root} cannot be written (${error.code}): take a copy of this repository that is yours`);
  }
  const { bavail, bsize } = statfsSync(root);
  if (anew && bavail * bsize < NEEDED) {
    // npm would leave out what is optional, the binaries for this processor among it, and call that a success
    throw new SetupError(
      `the disk of ${root} is full: the npm packages take 980 MB, ${Math.floor((bavail * bsize) / 1e6)} are free`,
    );
  }
  const env = npmEnvironment();
  const failure = await orNoNetwork((signal) => npm(['install', '--no-audit', '--no-fund'], { env, signal }), env);
  if (failure) throw new SetupError(`the npm packages cannot be installed: ${failure}`);
  rmSync(mark, { force: true });
}

/**
 * npm asks for every package several times before it says that there is no network, which takes minutes; so it is asked for a sign of life
 * of its registry meanwhile, and ended where there is none twice. What it has in its cache may do then.
 */
async function orNoNetwork(work, env) {
  const noNetwork = new AbortController();
  let done = false;
  const installing = work(noNetwork.signal).finally(() => {
    done = true;
  });
  const watching = (async () => {
    const first = await registryFailure(env);
    if (first === undefined || done) return undefined;
    await pause(2000);
    const second = done ? undefined : await registryFailure(env);
    if (second !== undefined) noNetwork.abort();
    return second;
  })();
  const [result, reason] = await Promise.allSettled([installing, watching]);
  for (const each of [result, reason]) if (each.status === 'rejected') throw each.reason;
  if (result.value.ok) return undefined;
  if (reason.value === undefined || !noNetwork.signal.aborted) return npmFailure(result.value.stderr);
  rmSync(modules, { recursive: true, force: true });
  const { ok } = await npm(['install', '--no-audit', '--no-fund', '--offline'], { env });
  return ok ? undefined : reason.value;
}

const ANSWER_SECONDS = 20;

/** Why the registry does not answer; undefined where it does, if only to refuse. */
async function registryFailure(env) {
  const { ok, signal, stderr } = await npm(['ping', '--fetch-retries=0'], { env, timeout: 1000 * ANSWER_SECONDS });
  if (ok) return undefined;
  return networkFailure(signal ? 'npm error code ETIMEDOUT' : stderr);
}

const npm = (args, options) => run('npm', [...NPM_OPTIONS, ...args], options);

/** Where the home directory is not there or cannot be written, npm's cache lies among the packages. */
function npmEnvironment() {
  const { npm_config_cache: chosen } = process.env;
  if (chosen || canWrite(existsSync(join(homedir(), '.npm')) ? join(homedir(), '.npm') : homedir())) return process.env;
  return { ...process.env, npm_config_cache: join(modules, '.cache', 'npm') };
}

function canWrite(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isInstalled(manifests) {
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
