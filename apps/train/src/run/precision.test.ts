import { expect, test } from 'vitest';
import { checkPrecision } from './precision';

const gpu = { name: 'some GPU', f16: true, family: 'gpu' } as const;

test('f32 runs everywhere, f16 on GPUs that have it', () => {
  expect(checkPrecision({ precision: 'f32' }, { ...gpu, f16: false })).toBeUndefined();
  expect(checkPrecision({ precision: 'f16' }, gpu)).toBeUndefined();
});
test('f16 that the adapter lacks is refused with what to set', () => {
  expect(() => checkPrecision({ precision: 'f16' }, { ...gpu, f16: false })).toThrow(
    'franca.precision is f16, which some GPU does not have; use franca.precision=f32',
  );
});
test('f16 forced on a software adapter is said to be slow', () => {
  expect(checkPrecision({ precision: 'f16' }, { ...gpu, family: 'cpu' })).toMatch(/compiles for minutes/);
});
