/** The set-up in a copy of its scripts, with an `npm` that does what a test wants: on a machine where nothing may be installed for a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from '../../scripts/checks/workspace';

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'set-up-'));
  cpSync(join(root, 'scripts/setup'), join(clone, 'scripts/setup'), { recursive: true });
  cpSync(join(root, 'scripts/setup.mjs'), join(clone, 'scripts/setup.mjs'));
  cpSync(join(root, 'scripts/franca.mjs'), join(clone, 'scripts/franca.mjs'));
  writeFileSync(join(clone, 'package.json'), '{ "type": "module", "workspaces": [] }');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** `npm` is this text of a shell from now on. */
function npmIs(text: string): void {
  mkdirSync(join(clone, 'bin'), { recursive: true });
  writeFileSync(join(clone, 'bin/npm'), `#!/bin/sh\ncase "$*" in *ping*) exit 0;; esac\n${text}\n`);
  chmodSync(join(clone, 'bin/npm'), 0o755);
}

/** What an installation leaves behind, as far as the set-up looks. */
const INSTALLS = `
mkdir -p node_modules/webgpu
echo '{ "name": "webgpu", "main": "index.js" }' > node_modules/webgpu/package.json
echo '{}' > node_modules/.package-lock.json`;

interface Ended {
  readonly status: number | null;
  readonly said: string;
}

function start(
  script: string,
  variables: Readonly<Record<string, string>>,
): { child: ChildProcess; ended: Promise<Ended> } {
  const { FRANCA_SETUP_DONE: _, ...inherited } = process.env;
  const env = { ...inherited, PATH: [join(clone, 'bin'), process.env.PATH].join(delimiter), ...variables };
  const child = spawn(process.execPath, [join(clone, script)], { cwd: clone, env, detached: true });
  let said = '';
  child.stderr.on('data', (text) => {
    said += String(text);
  });
  return { child, ended: new Promise((resolve) => child.on('close', (status) => resolve({ status, said }))) };
}

/** No test needs an adapter: the set-up ends where it would look for one. */
const begin = () => start('scripts/setup.mjs', { FRANCA_DRIVER: 'none' });
const setUp = () => begin().ended;

test.each([
  ['no network', 'npm error code ENOTFOUND', /registry cannot be reached.*behind a proxy: HTTPS_PROXY=/],
  ['a proxy with a password', 'npm error code E407', /the proxy asks for a name and a password: HTTPS_PROXY=/],
  ['a foreign certificate', 'npm error code SELF_SIGNED_CERT_IN_CHAIN', /NODE_EXTRA_CA_CERTS=<file\.pem>/],
  ['a full disk', 'npm error code ENOSPC', /the disk is full: the packages take/],
  ['a folder of another user', 'npm error code EACCES\nnpm error path /x', /\/x cannot be written \(EACCES\)/],
  ['anything else', 'npm error code EWHAT\nnpm error it is broken', /npm says: it is broken/],
])('%s is one line with the way out', async (_, text, line) => {
  npmIs(`printf '${text.replaceAll('\n', '\\n')}\\n' >&2; exit 1`);
  const { status, said } = await setUp();
  expect(status).toBe(1);
  const lines = said.trim().split('\n');
  expect(lines.slice(0, 2)).toEqual([
    expect.stringMatching(/^npm packages: installing/),
    expect.stringMatching(/^npm packages: failed after/),
  ]);
  expect(lines.slice(2)).toEqual([expect.stringMatching(line)]);
});

test('Ctrl-C is waited for, and what it cut off is begun anew', async () => {
  npmIs(`${INSTALLS}\ntrap 'sleep 0.2; touch ended; exit 1' INT\ntouch begun; sleep 20`);
  const { child, ended } = begin();
  while (!existsSync(join(clone, 'begun'))) await pause(20);
  process.kill(-child.pid!, 'SIGINT');
  expect(await ended).toMatchObject({
    status: 130,
    said: expect.stringMatching(/setup: stopped; nothing was left half installed/),
  });
  expect(existsSync(join(clone, 'ended'))).toBe(true);

  npmIs(`test -e node_modules/webgpu && touch trusted\n${INSTALLS}`);
  expect((await setUp()).said).toMatch(/npm packages: done in .*\n.*FRANCA_DRIVER is "none"/);
  expect(existsSync(join(clone, 'trusted'))).toBe(false);
  npmIs('touch again');
  await setUp();
  expect(existsSync(join(clone, 'again'))).toBe(false);
});

test('of the warnings on file 2 exactly the two of Dawn are dropped, and the program writes elsewhere', async () => {
  const warning = (what: string): string =>
    `Warning: maxDynamic${what}BuffersPerPipelineLayout artificially reduced from 1000000 to 16 to fit dynamic offset allocation limit.`;
  mkdirSync(join(clone, 'node_modules'));
  symlinkSync(join(root, 'node_modules/tsx'), join(clone, 'node_modules/tsx'));
  writeFileSync(join(clone, 'tsconfig.json'), '{}');
  mkdirSync(join(clone, 'apps/train/src'), { recursive: true });
  writeFileSync(
    join(clone, 'apps/train/src/cli.ts'),
    `import { writeSync } from 'node:fs';
     for (const text of ${JSON.stringify([warning('Uniform'), warning('Storage'), 'Warning: another', 'no end'])}) writeSync(2, text + (text === 'no end' ? '' : '\\n'));
     console.error(${JSON.stringify(warning('Uniform'))});
     process.exitCode = 3;`,
  );
  const { status, said } = await start('scripts/franca.mjs', { FRANCA_SETUP_DONE: '1' }).ended;
  expect(status).toBe(3);
  expect(said.trim().split('\n').sort()).toEqual(['Warning: another', warning('Uniform'), 'no end']);
});
