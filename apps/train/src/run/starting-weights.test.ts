import { expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../../test/support/parity';
import { resampleTable } from './starting-weights';

test('positions for another size are resampled as the official converter does (antialiased, no offset)', () => {
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

test('the same grid is left as it is', () => {
  const table = Float32Array.from({ length: 5 * 3 }, (_, i) => Math.sin(i));
  resampleTable(table, 2, 2, 3).forEach((value, i) => {
    expect(value).toBeCloseTo(table[i]!, 6);
  });
});
