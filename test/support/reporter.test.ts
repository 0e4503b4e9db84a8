import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { startVitest } from 'vitest/node';
import { closingReporter } from './reporter';

const folder = mkdtempSync(fileURLToPath(new URL('reporter-', import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true }));

test('a run ends with the parity table and a line that counts every kind of failure', async () => {
  writeFileSync(
    join(folder, 'sample.test.ts'),
    `import { beforeAll, describe, test } from 'vitest';
     import { checkParity } from '../parity';
     test('within', () => checkParity('vit', 'x', [1], [1.001], { absolute: 0.01 }));
     test('beyond', () => checkParity('loss', 'y', [1], [1.1], { absolute: 0.01 }));
     test.skip('skipped', () => {});
     describe('group', () => { beforeAll(() => { throw new Error('hook'); }); test('never run', () => {}); });`,
  );
  writeFileSync(join(folder, 'broken.test.ts'), `import './missing';`);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const exitCode = process.exitCode;
  const vitest = await startVitest('test', [], {
    root: folder,
    config: false,
    watch: false,
    reporters: [closingReporter()],
  });
  await vitest.close();
  process.exitCode = exitCode;
  const lines = log.mock.calls.join('\n').trim().split('\n');
  log.mockRestore();
  expect(lines.at(-1)).toBe('1 passed, 3 failed, 2 skipped');
  expect(lines.map((line) => line.split(/\s{2,}/).slice(0, 2))).toEqual(
    expect.arrayContaining([
      ['loss', '10.000'],
      ['vit', '0.100'],
    ]),
  );
});
