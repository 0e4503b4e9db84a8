/** The installed program decodes with as many threads as there are cores: it is started with a program in its place that counts them. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'franca-threads-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const name of ['bin', 'dist']) mkdirSync(join(folder, name));
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
const bin = fileURLToPath(new URL('../bin/franca-train.cjs', import.meta.url));
copyFileSync(bin, join(folder, 'bin', 'franca-train.cjs'));
writeFileSync(join(folder, 'many-cores.cjs'), `require('node:os').availableParallelism = () => 9;`);
// the threads are started with the first work for them
writeFileSync(
  join(folder, 'dist', 'cli.js'),
  `import { pbkdf2 } from 'node:crypto';
   import { readdirSync } from 'node:fs';
   pbkdf2('', '', 1, 16, 'sha1', () => console.log(readdirSync('/proc/self/task').length));`,
);

/** All threads of the process, those of V8 too. */
function threads(size: string | undefined): number {
  const { UV_THREADPOOL_SIZE: _, ...env } = process.env;
  const args = ['--require', join(folder, 'many-cores.cjs'), join(folder, 'bin', 'franca-train.cjs')];
  const own = size === undefined ? {} : { UV_THREADPOOL_SIZE: size };
  return Number(execFileSync(process.execPath, args, { env: { ...env, ...own }, encoding: 'utf8' }));
}

describe.runIf(process.platform === 'linux')('threads for decoding', () => {
  test('are as many as there are cores', () => {
    expect(threads(undefined)).toBe(threads('9'));
  });
  test('unless the user says otherwise', () => {
    expect(threads('9') - threads('5')).toBe(4);
  });
});
