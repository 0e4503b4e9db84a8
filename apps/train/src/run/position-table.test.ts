import { expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../../test/support/parity';
import { resampleTable } from './position-table';

test('fewer positions are those of the official converter (antialiased, no offset)', () => {
  const file = parityFile('pos_embed_interp_down');
  const [, count, D] = file.shape('down.pos_embed') as [number, number, number];
  const from = Math.sqrt(count - 1);
  const labels = file.names.filter((name) => name.endsWith('.off0.aa.out'));
  expect(labels.length).toBeGreaterThan(0);
  for (const label of labels) {
    const [, h, w] = label.match(/(\d+)x(\d+)/)!;
    if (h !== w) continue;
    checkParity(file, label, resampleTable(file.floats('down.pos_embed'), from, Number(h), D), file.floats(label), {
      ofMax: 1e-5,
    });
  }
});

/** Keys' cubic with a = -0.5. */
const cubic = (x: number): number => {
  const t = Math.abs(x);
  if (t < 1) return 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
  return t < 2 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 0;
};

/** Weight of source j for target i along one axis: the cubic at their distance, stretched where the grid becomes smaller; those inside the grid, made to sum to 1. */
function axis(from: number, to: number): number[][] {
  const [scale, support] = [from / to, Math.max(1, from / to)];
  return Array.from({ length: to }, (_, i) => {
    const row = Array.from({ length: from }, (_, j) => cubic((j + 0.5 - (i + 0.5) * scale) / support));
    const sum = row.reduce((a, b) => a + b);
    return row.map((weight) => weight / sum);
  });
}

test.each([
  [14, 8],
  [5, 9],
  [37, 16],
  [3, 7],
])('from %i to %i patches a side by the f64 rule of both axes; the class stays', (from, to) => {
  const D = 3;
  const table = Float32Array.from({ length: (1 + from * from) * D }, (_, i) => Math.sin(1 + i * i * 0.37));
  const result = resampleTable(table, from, to, D);
  expect(result.length).toBe((1 + to * to) * D);
  expect(result.subarray(0, D)).toEqual(table.subarray(0, D));
  const weights = axis(from, to);
  for (let y = 0; y < to; y++)
    for (let x = 0; x < to; x++)
      for (let d = 0; d < D; d++) {
        let sum = 0;
        for (let j = 0; j < from; j++)
          for (let i = 0; i < from; i++) sum += weights[y]![j]! * weights[x]![i]! * table[(1 + j * from + i) * D + d]!;
        // of values up to 1, rounded once to f32, from weights that both keep in f64
        expect(Math.abs(result[(1 + y * to + x) * D + d]! - sum)).toBeLessThan(1e-6);
      }
});

test('the same grid is left as it is', () => {
  const table = Float32Array.from({ length: 5 * 3 }, (_, i) => Math.sin(i));
  resampleTable(table, 2, 2, 3).forEach((value, i) => {
    expect(value).toBeCloseTo(table[i]!, 6);
  });
});
