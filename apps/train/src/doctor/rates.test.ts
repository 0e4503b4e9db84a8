import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultTarget } from '@franca/tensor';
import { expect, test } from 'vitest';
import { targetNamed } from '../plan/named-adapters';
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
  const here = { measured: '2026-01-01' };
  expect(withRates(defaultTarget, rates, 'f16').rates).toMatchObject({
    productFlops: { value: 3e10, ...here },
    bytes: { value: 5e9, ...here },
  });
  expect(withRates(defaultTarget, rates, 'f32').rates.productFlops.value).toBe(2e10);
  expect(withRates(defaultTarget, { ...rates, flops: { f32: 2e10 } }, 'f16').rates.productFlops.value).toBe(2e10);
  expect(withRates(defaultTarget, undefined, 'f32')).toEqual(defaultTarget);
  const card = { ...defaultTarget, name: 'NVIDIA H100 PCIe, driver 580.159' };
  expect(withRates(card, undefined, 'f16').rates.matrixFlops.value).toBe(290e12);
});

test('on matrix units products in f16 are those of the units, and the others stay in f32', async () => {
  const target = await targetNamed('h100-like');
  expect(withRates(target, rates, 'f16').rates).toMatchObject({
    matrixFlops: { value: 3e10 },
    productFlops: { value: 2e10 },
  });
  const attention = { forward: 1e9, backward: 2e9 };
  expect(withRates(target, { ...rates, attention }, 'f16').rates).toMatchObject({
    matrixAttentionFlops: { value: 1e9 },
    matrixAttentionGradientFlops: { value: 2e9 },
    attentionFlops: target.rates.attentionFlops,
  });
});

test('what an older file does not hold stays expected', () => {
  const { launchSeconds, serialSeconds, attentionFlops } = withRates(defaultTarget, rates, 'f32').rates;
  expect([launchSeconds, serialSeconds, attentionFlops].map(({ measured }) => measured)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(launchSeconds).toBe(defaultTarget.rates.launchSeconds);
  const whole = { ...rates, attention: { forward: 1e9, backward: 2e9 }, launch: 1e-5, serial: 1e-8 };
  expect(withRates(defaultTarget, whole, 'f32').rates).toMatchObject({
    attentionFlops: { value: 1e9 },
    attentionGradientFlops: { value: 2e9 },
    launchSeconds: { value: 1e-5 },
    serialSeconds: { value: 1e-8 },
  });
});
