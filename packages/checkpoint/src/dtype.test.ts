import { expect, test } from 'vitest';
import { elementSize, toFloat32 } from './dtype';

test('f16 widens exactly: normal, subnormal, largest, infinite, NaN, both zeros', () => {
  const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x83ff, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x8000);
  const expected = [1, -2, 2 ** -24, -1023 * 2 ** -24, 65504, Infinity, -Infinity, NaN, -0];
  expect([...toFloat32('f16', bits)]).toEqual(expected);
});

test('bf16 is the upper half of f32', () => {
  const values = Float32Array.of(1, -2.5, 2 ** 127, 2 ** -130, Infinity, NaN, -0);
  const upper = Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
  expect([...toFloat32('bf16', upper)]).toEqual([...values]);
});

test('integers and booleans become their numbers, 64-bit ones rounded to the nearest f32', () => {
  expect([...toFloat32('bool', Uint8Array.of(1, 0))]).toEqual([1, 0]);
  expect([...toFloat32('i8', Int8Array.of(-128, 127))]).toEqual([-128, 127]);
  expect([...toFloat32('i64', BigInt64Array.of(-3n, 2n ** 53n + 1n))]).toEqual([-3, 2 ** 53]);
  expect([...toFloat32('u64', BigUint64Array.of(2n ** 63n))]).toEqual([2 ** 63]);
});

test('f64 is rounded, f32 is returned as it is', () => {
  const f32 = Float32Array.of(1);
  expect([...toFloat32('f64', Float64Array.of(0.1))]).toEqual([Math.fround(0.1)]);
  expect(toFloat32('f32', f32)).toBe(f32);
});

test('element sizes', () => {
  const sizes = (['bool', 'u8', 'i16', 'f16', 'bf16', 'i32', 'f32', 'i64', 'f64'] as const).map(elementSize);
  expect(sizes).toEqual([1, 1, 2, 2, 2, 4, 4, 8, 8]);
});
