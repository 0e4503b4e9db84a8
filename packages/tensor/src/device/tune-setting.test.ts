import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { compile } from '../compile';
import { openGpu } from '../node';
import { matmul } from '../ops/matmul/matmul';
import { shippedTables } from './shipped-tables';
import { tuneSetting } from './tune-setting';
import { tuningTable } from './tuning-table';

const root = mkdtempSync(join(tmpdir(), 'franca-tables-'));
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe('FRANCA_TUNE', () => {
  test('names a file, switches measuring off, or is not set', () => {
    expect(tuneSetting(undefined, 'cache.json')).toBe('cache.json');
    expect(tuneSetting('off', 'cache.json')).toBeUndefined();
    expect(tuneSetting('OFF', 'cache.json')).toBeUndefined();
    expect(tuneSetting('/a/choices.json', 'cache.json')).toBe('/a/choices.json');
  });
  test.each(['', '0', 'false', 'on', 'choices.txt'])('%j is refused, with what it can be', (value) => {
    expect(() => tuneSetting(value, 'cache.json')).toThrow(/^FRANCA_TUNE is ".*"; set it to off .* ends in \.json/);
  });
  test('a folder is refused', () => {
    const folder = mkdtempSync(join(root, 'x-'));
    rmSync(folder, { recursive: true });
    expect(tuneSetting(`${folder}.json`, '')).toBe(`${folder}.json`);
    expect(() => tuneSetting(root, '')).toThrow(/FRANCA_TUNE/);
  });
  test('is asked wherever a device is opened', async () => {
    vi.stubEnv('FRANCA_TUNE', 'off');
    await using off = await openGpu({ adapter: 'software' });
    expect(off.tuning.cache).toBeUndefined();
    const matrix = { shape: [640, 640], dtype: 'f32' } as const;
    using step = await compile(off, (_, { a, b }) => matmul(a, b), { batch: { a: matrix, b: matrix } });
    expect(step.tuning).toMatchObject({ choices: { measured: 0 }, seconds: 0, unmeasured: 0 });
    vi.stubEnv('FRANCA_TUNE', '');
    await expect(openGpu({ adapter: 'software' })).rejects.toMatchObject({ code: 'options' });
  });
});

describe('tables of the package', () => {
  const folder = pathToFileURL(`${root}/`);
  test('are read, and found by the adapter that they are of', async () => {
    await using gpu = await openGpu({ adapter: 'software' });
    const table = { ...tuningTable(gpu), choices: { product: 'tall' } };
    writeFileSync(join(root, 'a-card.json'), JSON.stringify(table));
    writeFileSync(join(root, 'another.json'), JSON.stringify({ ...table, adapter: 'another' }));
    writeFileSync(join(root, 'README.md'), 'no table');
    const tables = shippedTables(folder);
    expect(tables.map(({ adapter }) => adapter)).toEqual([table.adapter, 'another']);
    await using told = await openGpu({ adapter: 'software', tables, tuning: false });
    expect(told.tuning.shipped).toEqual({ product: 'tall' });
  });
  test('are none where the folder is missing, and an error where a file is no table', () => {
    expect(shippedTables(new URL('nowhere/', folder))).toEqual([]);
    writeFileSync(join(root, 'broken.json'), '{"adapter": "x", "choices": {"a": 1}}');
    expect(() => shippedTables(folder)).toThrow(/broken\.json is no table of kernel choices/);
  });
});
