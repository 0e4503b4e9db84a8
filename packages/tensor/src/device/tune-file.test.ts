import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { tuneFile } from './tune-file';

const root = mkdtempSync(join(tmpdir(), 'franca-tune-'));
afterAll(() => rmSync(root, { recursive: true }));
const newFolder = (): string => mkdtempSync(join(root, 'folder-'));

describe('kernel choices on disk', () => {
  test('are found again, by adapter', () => {
    const path = join(newFolder(), 'deeper', 'tuning.json');
    tuneFile(path, 'card A').set('matmul', 'tile');
    tuneFile(path, 'card B').set('matmul', 'naive');
    expect(tuneFile(path, 'card A').get('matmul')).toBe('tile');
    expect(tuneFile(path, 'card B').get('matmul')).toBe('naive');
    expect(tuneFile(path, 'card C').get('matmul')).toBeUndefined();
  });
  test('of two processes both survive, and no temporary file does', () => {
    const folder = newFolder();
    const path = join(folder, 'tuning.json');
    const [one, other] = [tuneFile(path, 'card'), tuneFile(path, 'card')];
    one.set('a', 'x');
    other.set('b', 'y');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ card: { a: 'x', b: 'y' } });
    expect(readdirSync(folder)).toEqual(['tuning.json']);
  });
  test.each(['', '{"card": {"matmul"', '[1, null]', '{"card": {"matmul": 3}}', '{"card": null}'])(
    'a file that holds %j counts as empty',
    (content) => {
      const path = join(newFolder(), 'tuning.json');
      writeFileSync(path, content);
      const cache = tuneFile(path, 'card');
      expect(cache.get('matmul')).toBeUndefined();
      cache.set('matmul', 'tile');
      expect(tuneFile(path, 'card').get('matmul')).toBe('tile');
    },
  );
  test('are not written over the table of a run', () => {
    const path = join(newFolder(), 'tuning.json');
    const table = JSON.stringify({ adapter: 'card', version: '1', date: '2020', choices: { matmul: 'tile' } });
    writeFileSync(path, table);
    expect(() => tuneFile(path, 'card')).toThrow(/is a table of one adapter/);
    expect(readFileSync(path, 'utf8')).toBe(table);
  });
  test('last as long as the process where nothing can be written', () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'file'), '');
    const cache = tuneFile(join(folder, 'file', 'tuning.json'), 'card');
    cache.set('matmul', 'tile');
    expect(cache.get('matmul')).toBe('tile');
  });
});
