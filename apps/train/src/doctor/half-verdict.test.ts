import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HalfKernelCheck } from '@franca/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { keepVerdict, latestVerdict, readVerdict, verdictPath } from './half-verdict';

const root = mkdtempSync(join(tmpdir(), 'franca-f16-'));
afterAll(() => rmSync(root, { recursive: true }));
const newFolder = (): string => mkdtempSync(join(root, 'folder-'));
const outcome: HalfKernelCheck = { checked: 3, failures: [], uncovered: [], seconds: 1.5 };

/** A file that says of a check that it began. */
function begunBy(began: { host: string; pid: number }, date = new Date()): string {
  const path = join(newFolder(), 'begun.json');
  writeFileSync(path, JSON.stringify({ adapter: 'a card', date: date.toISOString(), began }));
  return path;
}

describe('a verdict', () => {
  test('is found again by adapter and kernels', async () => {
    const folder = join(newFolder(), 'deeper');
    const path = verdictPath('a card', ['a', 'b'], folder);
    await keepVerdict(path, 'a card', async () => outcome);
    expect(await readVerdict(path)).toMatchObject({ ...outcome, adapter: 'a card' });
    expect(await latestVerdict('a card', folder)).toMatchObject({ path, verdict: outcome });
    expect(await latestVerdict('another', folder)).toBeUndefined();
    const others = [verdictPath('another', ['a', 'b'], folder), verdictPath('a card', ['a'], folder)];
    expect(await Promise.all(others.map(readVerdict))).toEqual([undefined, undefined]);
    expect(readdirSync(folder)).toHaveLength(1);
  });
  test('that is broken or absent tells nothing, and the folder may be missing', async () => {
    const path = join(newFolder(), 'broken.json');
    expect(await readVerdict(path)).toBeUndefined();
    writeFileSync(path, '{"adapter":');
    expect(await readVerdict(path)).toBeUndefined();
    expect(await latestVerdict('a card', join(root, 'nowhere'))).toBeUndefined();
  });
  test('is given also where it cannot be kept', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(await keepVerdict(join(folder, 'file', 'v.json'), 'a card', async () => outcome)).toMatchObject(outcome);
  });
});

describe('a check that has not ended', () => {
  test('is unfinished where its process is gone, as a driver leaves it that crashes', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    expect(await readVerdict(begunBy({ host: hostname(), pid }))).toBe('unfinished');
  });
  test('is waited for by nobody where its process lives', async () => {
    expect(await readVerdict(begunBy({ host: hostname(), pid: process.ppid }))).toBeUndefined();
    expect(await readVerdict(begunBy({ host: hostname(), pid: process.pid }))).toBeUndefined();
  });
  test('on another machine has ten minutes', async () => {
    const other = { host: `not ${hostname()}`, pid: 1 };
    expect(await readVerdict(begunBy(other))).toBeUndefined();
    expect(await readVerdict(begunBy(other, new Date(Date.now() - 11 * 60_000)))).toBe('unfinished');
  });
  test('leaves nothing where the user ends it', async () => {
    const path = join(newFolder(), 'v.json');
    let during: string[] = [];
    const ended = keepVerdict(path, 'a card', async () => {
      during = readdirSync(join(path, '..'));
      throw new Error('SIGINT');
    });
    await expect(ended).rejects.toThrow('SIGINT');
    expect([during, readdirSync(join(path, '..'))]).toEqual([['v.json'], []]);
  });
});
