/** The programs that stages start: from the sources of a clone, or from what is built, as in a bundle. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);
const fromSources = here.endsWith('.ts');
/** The folder of `package.json`, `bench` and `scripts`. */
export const root: string = join(dirname(here), fromSources ? '../../..' : '../..');

/** The program and the first of its arguments. */
export type Program = readonly [string, ...string[]];

/** This program, as a stage. */
export const stageCommand = (context: string): Program => [
  process.execPath,
  ...process.execArgv,
  process.argv[1]!,
  '--run-stage',
  context,
];

/** `franca-train` with arguments. */
export const francaTrain = (...args: string[]): Program => {
  const cli = fromSources
    ? join(root, 'scripts/franca.mjs')
    : join(dirname(fileURLToPath(import.meta.resolve('franca-train'))), '../bin/franca-train.cjs');
  return [process.execPath, cli, ...args];
};

/** vitest with arguments; its configuration is loaded without a file beside it, since a bundle may be read-only. */
export const vitest = (...args: string[]): Program => [
  process.execPath,
  join(dirname(fileURLToPath(import.meta.resolve('vitest/package.json'))), 'vitest.mjs'),
  'run',
  '--configLoader',
  'runner',
  '--root',
  root,
  ...args,
];
