import type { Tensor } from '@franca/tensor';
import { describe, expect, test } from 'vitest';
import { linearSpecs } from './layers';
import {
  countParameters,
  initialValues,
  normal,
  ONES,
  parameter,
  parametersOf,
  prefixed,
  uniform,
  ZEROS,
} from './parameters';

describe('initial values', () => {
  const n = 20_000;
  const moments = (values: Float32Array) => {
    const mean = values.reduce((a, b) => a + b, 0) / n;
    return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / n) };
  };
  test('normal: mean 0 and the deviation asked for, within five standard errors', () => {
    const { mean, deviation } = moments(initialValues('w', parameter([n], normal(0.02)), 1));
    expect(Math.abs(mean)).toBeLessThan((5 * 0.02) / Math.sqrt(n));
    expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(5 / Math.sqrt(2 * n));
  });
  test('uniform: within the bound, deviation bound / sqrt 3', () => {
    const values = initialValues('w', parameter([n], uniform(0.5)), 1);
    expect(values.every((value) => Math.abs(value) <= 0.5)).toBe(true);
    // the deviation of a uniform sample has relative standard error sqrt(1 / 5 n)
    expect(Math.abs((moments(values).deviation / 0.5) * Math.sqrt(3) - 1)).toBeLessThan(5 / Math.sqrt(5 * n));
  });
  test('constants fill', () => {
    expect([...initialValues('w', parameter([2], ZEROS), 0), ...initialValues('w', parameter([2], ONES), 0)]).toEqual([
      0, 0, 1, 1,
    ]);
  });
  test('depend on seed and name, not on what else there is', () => {
    const spec = parameter([8], normal(1));
    const draw = (name: string, seed: number) => Array.from(initialValues(name, spec, seed));
    expect(draw('a', 1)).toEqual(draw('a', 1));
    expect(draw('a', 1)).not.toEqual(draw('b', 1));
    expect(draw('a', 1)).not.toEqual(draw('a', 1 + 2 ** 32));
  });
});

test('a prefix goes before every name, and parameters are counted', () => {
  const specs = prefixed('mlp', linearSpecs(3, 5));
  expect(Object.keys(specs)).toEqual(['mlp.weight', 'mlp.bias']);
  expect(countParameters(specs)).toBe(20);
});

test('an unknown parameter is refused with the names nearest to it', () => {
  const p = parametersOf({
    'blocks.0.norm1.weight': {} as Tensor,
    'blocks.0.norm1.bias': {} as Tensor,
    cls_token: {} as Tensor,
  });
  expect(() => p('blocks.0.norm1.gain')).toThrow(
    /no parameter "blocks\.0\.norm1\.gain"; there are blocks\.0\.norm1\.weight, blocks\.0\.norm1\.bias/,
  );
});
