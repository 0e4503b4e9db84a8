import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { programCommand, programWords, type Started } from './program';

const started = (env: Started['env'], file: string): Started => ({ env, argv: ['/usr/bin/node', file] });
const installed = join('/', 'usr', 'bin', 'franca-train');
const clone = process.cwd();
const local = join(clone, 'node_modules', '.bin', 'franca-train');
const shim = join('/', 'home', 'node_modules', 'franca-train', 'bin', 'franca-train.cjs');

test.each([
  [
    'a clone',
    started({ FRANCA_SETUP_DONE: '1', npm_command: 'run-script' }, join(clone, 'apps/train/src/cli.ts')),
    'npm run franca --',
  ],
  [
    'a clone elsewhere',
    started({ FRANCA_SETUP_DONE: '1' }, join(clone, 'other/apps/train/src/cli.ts')),
    'node other/scripts/franca.mjs',
  ],
  ['npx', started({ npm_command: 'exec' }, shim), 'npx franca-train'],
  ['npx in another folder', started({ FRANCA_SETUP_DONE: '1', npm_command: 'exec' }, shim), 'npx franca-train'],
  ['a command installed in this folder', started({}, local), 'node_modules/.bin/franca-train'],
  ['npx of what is installed in this folder', started({ npm_command: 'exec' }, local), 'npx franca-train'],
  ['an installed command', started({}, installed), 'franca-train'],
  ['an installed command on Windows', started({}, shim), 'franca-train'],
  ['a bundle', started({ FRANCA_PROGRAM: './franca-train' }, shim), './franca-train'],
  [
    'a file',
    started({}, join(process.cwd(), 'apps', 'train', 'bin', 'franca-train.cjs')),
    'node apps/train/bin/franca-train.cjs',
  ],
])('%s is called as it was started', (_, how, expected) => {
  expect(programWords(how).join(' ').replaceAll('\\', '/')).toBe(expected);
});

test('a shell reads back the words of a command, whatever the folder of the run is called', () => {
  const words = ['show', '-w', "runs/it's mine; $HOME", '--out', 'a b/ü'];
  const command = programCommand(words, started({ FRANCA_SETUP_DONE: '1' }, join(clone, 'apps/train/src/cli.ts')));
  const read = execFileSync('sh', ['-c', `npm() { printf '%s\\n' "$@"; }; ${command}`], { encoding: 'utf8' });
  expect(read.split('\n').slice(0, -1)).toEqual(['run', 'franca', '--', ...words]);
});
