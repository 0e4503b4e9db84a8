import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../../test/support/parity';
import { temporaryFolder, tinyConfig, tinyMetadata, tinyTensors } from '../../test/tiny-model';
import { configMetadata } from '../features/config-of-file';
import { programCommand } from '../text/program';
import { openPretrained, resampleTable } from './starting-weights';

test('weights of another number of heads are refused, and heads that they do not say are stated', async () => {
  const folder = await temporaryFolder();
  try {
    const path = join(folder, 'teacher.safetensors');
    const run = { ...tinyConfig, numHeads: 4 };
    await writeSafetensors(path, tinyTensors(), tinyMetadata);
    await expect(openPretrained(path, run, false)).rejects.toThrow(
      /has 2 attention heads \(the metadata .*\), this run has 4; give franca\.vit\.num_heads=2/,
    );
    await using same = await openPretrained(folder, tinyConfig, false);
    expect(same.notes).toEqual([`starting from ${path}: 31 tensors`]);
    for (const metadata of [{}, configMetadata({ config: tinyConfig, assumed: ['numHeads'] })]) {
      await writeSafetensors(path, tinyTensors(), metadata);
      await using unsaid = await openPretrained(path, run, false);
      expect(unsaid.notes.slice(1)).toEqual(['heads: 4, as this run is configured; the weights do not say theirs']);
    }
    const extra: TensorEntry = { name: 'fc_norm.weight', dtype: 'f32', shape: [16], data: new Float32Array(16) };
    await writeSafetensors(path, [...tinyTensors(), extra]);
    await expect(openPretrained(path, run, false)).rejects.toThrow(/"fc_norm\.weight" belongs to another architecture/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('which network of the file a run starts from is said, or asked for with the way to take one out', async () => {
  const folder = await temporaryFolder();
  try {
    const path = join(folder, 'my deit.safetensors');
    await writeSafetensors(path, [...tinyTensors('model.'), ...tinyTensors('model_ema.')], tinyMetadata);
    await using plain = await openPretrained(path, tinyConfig, false);
    const takes = `${programCommand(['import', path, '--network', 'NAME', '--out', 'FOLDER'])} takes one out`;
    expect(plain.notes.slice(1)).toEqual([`network: "model"; the file also holds "model_ema"; ${takes}`]);
    await writeSafetensors(path, [...tinyTensors('a.'), ...tinyTensors('b.')], tinyMetadata);
    await expect(openPretrained(path, tinyConfig, false)).rejects.toThrow(`choose the network by its name: ${takes}`);
  } finally {
    await rm(folder, { recursive: true });
  }
});

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
