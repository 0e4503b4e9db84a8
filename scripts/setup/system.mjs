/** What the steps of the set-up share: where things lie, running a program, and remembering what was done. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** `$XDG_CACHE_HOME/franca` or `~/.cache/franca`. */
export function cacheFolder() {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'franca');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** For every npm command: without a network its own patience, a minute a package, would look like a hang. */
export const NPM_OPTIONS = ['--loglevel=error', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];

/** Runs a program to its end; never throws. Output is collected unless `stdio` says otherwise. */
export function run(program, args, { timeout = 0, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      timeout,
      killSignal: 'SIGKILL',
      ...options,
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => (stdout += chunk));
    child.stderr?.on('data', (chunk) => (stderr += chunk));
    child.on('error', (error) => resolve({ ok: false, stdout, stderr: error.message }));
    child.on('close', (code, signal) => resolve({ ok: code === 0, code, signal, stdout, stderr }));
  });
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
