/** What the steps of the set-up share: where things lie, running a program, being stopped, and remembering what was done. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Interrupted, SetupError } from './errors.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** `$XDG_CACHE_HOME/franca` or `~/.cache/franca`. */
export function cacheFolder() {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'franca');
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new SetupError(`${folder} cannot be written (${error.code}): set XDG_CACHE_HOME to a folder that is yours`);
  }
  return folder;
}

/** For every npm command: without a network its own patience, a minute a package, would look like a hang. */
export const NPM_OPTIONS = [
  '--loglevel=error',
  '--no-update-notifier',
  '--fetch-retries=2',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=5000',
  '--fetch-timeout=60000',
];

let stoppedBy;
const underWay = new Set();

/** Ends what is under way where one part of the set-up has failed: their `run` throws `Interrupted` too. */
export function endAll(why = 'SIGTERM') {
  stoppedBy ??= why;
  for (const { child, finish } of underWay) if (!finish) child.kill(why);
}

/**
 * From here on Ctrl-C ends the set-up in order: programs that are under way are ended and waited for, and whoever ran them throws
 * `Interrupted`. Returns what takes this back. A second Ctrl-C ends this process at once.
 */
export function listenForStop() {
  const onSignal = (signal) => {
    if (stoppedBy) process.exit(130);
    endAll(signal);
    const slow = [...underWay].find(({ finish }) => finish);
    if (slow) console.error(`stopping after ${slow.finish}, which must not be left half done ...`);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
}

/**
 * Runs a program to its end and collects its output; a failure is an answer, `{ ok: false, ... }`. With `finish`, words for what it does, it is
 * not ended by Ctrl-C, from which `detached: true` keeps it. `onText` sees its output as it comes.
 * @throws Interrupted when the set-up was stopped before or meanwhile
 */
export async function run(program, args, { timeout = 0, finish, onText, ...options } = {}) {
  if (stoppedBy) throw new Interrupted(stoppedBy);
  const result = await new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      timeout,
      killSignal: 'SIGKILL',
      ...options,
    });
    const entry = { child, finish };
    underWay.add(entry);
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (chunk) => {
        text[name] += chunk;
        onText?.(chunk);
      });
    }
    const end = (outcome) => {
      underWay.delete(entry);
      resolve({ ...text, ...outcome });
    };
    // what was started ends with `close`, also when it is ended from here
    child.on('error', (error) => child.pid ?? end({ ok: false, stderr: error.message }));
    child.on('close', (code, signal) => end({ ok: code === 0, code, signal }));
  });
  if (stoppedBy) throw new Interrupted(stoppedBy);
  return result;
}

const stampFile = join(root, 'node_modules', '.cache', 'franca', 'setup.json');

/** What `writeStamp` stored under `name`, or undefined. */
export function readStamp(name) {
  if (!existsSync(stampFile)) return undefined;
  return JSON.parse(readFileSync(stampFile, 'utf8'))[name];
}

export function writeStamp(name, value) {
  const stamps = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {};
  mkdirSync(dirname(stampFile), { recursive: true });
  const partial = `${stampFile}.${process.pid}`;
  writeFileSync(partial, `${JSON.stringify({ ...stamps, [name]: value }, null, 2)}\n`);
  renameSync(partial, stampFile);
}
