import { expect, test } from 'vitest';
import { toHalf } from './half';
import { quantise, scalesOf, ZERO_POINT } from './quantise';

test('bytes give weights back to half a step of their output, transposed', () => {
  const [outputs, inputs] = [3, 5];
  const weight = Float32Array.from({ length: 15 }, (_, i) => (i < 10 ? Math.sin(7 * i) * 10 ** (i < 5 ? 1 : -3) : 0));
  const [scales, bytes] = [scalesOf(weight, outputs), quantise(weight, outputs)];
  for (let o = 0; o < outputs; o++) {
    const row = weight.subarray(o * inputs, (o + 1) * inputs);
    const largest = Math.max(...row.map(Math.abs));
    expect(scales[o]).toBeCloseTo(largest > 0 ? largest / 127 : 1, 7);
    for (let i = 0; i < inputs; i++) {
      const found = scales[o]! * (bytes[i * outputs + o]! - ZERO_POINT);
      expect(Math.abs(found - row[i]!)).toBeLessThanOrEqual(0.5001 * (largest > 0 ? scales[o]! : 0));
    }
  }
  expect(Math.min(...bytes)).toBeGreaterThanOrEqual(1);
});

test('halves are rounded to nearest, ties to even, subnormal ones too', () => {
  const values = [1, -2, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, 65519, 2 ** -24, 1e-5, -0];
  const bits = new Uint16Array(toHalf(values, 'x').buffer);
  expect([...bits]).toEqual([0x3c00, 0xc000, 0x3c00, 0x3c02, 0x7bff, 0x7bff, 1, 168, 0x8000]);
  for (const beyond of [65520, -1e9, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => toHalf([0, beyond], 'x')).toThrow(/"x" holds .*, which f16 does not; write the model as f32/);
});
