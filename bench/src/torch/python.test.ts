import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPython, runPython } from './python';

let scripts: string;
beforeEach(async () => {
  scripts = await mkdtemp(join(tmpdir(), 'franca-python-'));
});
afterEach(() => rm(scripts, { recursive: true }));

// any program that takes a script will do
async function run(text: string, limitSeconds = 20): Promise<unknown> {
  await writeFile(join(scripts, 'step.mjs'), text);
  return runPython({ python: process.execPath, scripts, script: 'step.mjs', args: ['folder', '--x'], limitSeconds });
}

test('the last line of what a program prints is its result', async () => {
  expect(await run('console.log("a warning"); console.log(JSON.stringify({ losses: [1] }))')).toEqual({ losses: [1] });
});

test('a program that fails says why, and one that hangs is ended', async () => {
  await expect(run('console.error("no compiler here"); process.exit(1)')).rejects.toThrow(
    'step.mjs --x: no compiler here',
  );
  await expect(run('setInterval(() => {}, 1000)', 1)).rejects.toThrow('step.mjs --x: took more than 1 s');
});

test('a Python without PyTorch is none', () => {
  expect(findPython(process.execPath)).toBeUndefined();
});
