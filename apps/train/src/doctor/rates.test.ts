import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultTarget } from '@franca/tensor';
import { expect, test } from 'vitest';
import { keepRates, knownRates, type Rates, withRates } from './rates';

const rates: Rates = { flops: { f32: 2e10, f16: 3e10 }, bytes: 5e9, date: '2026-01-01' };

test('rates are kept per adapter; a broken file holds none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'franca-rates-'));
  try {
    const path = join(folder, 'cache', 'rates.json');
    expect(await knownRates('a', path)).toBeUndefined();
    await keepRates('a', rates, path);
    await keepRates('b', { ...rates, bytes: 1 }, path);
    expect([(await knownRates('a', path))?.bytes, (await knownRates('b', path))?.bytes]).toEqual([5e9, 1]);
    await writeFile(path, '{"a":');
    expect(await knownRates('a', path)).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a target takes the rates of the precision it computes in', () => {
  expect(withRates(defaultTarget, rates, 'f16')).toMatchObject({ flopsPerSecond: 3e10, bytesPerSecond: 5e9 });
  expect(withRates(defaultTarget, { ...rates, flops: { f32: 2e10 } }, 'f16').flopsPerSecond).toBe(2e10);
  expect(withRates(defaultTarget, undefined, 'f32')).toBe(defaultTarget);
});
