import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTensorFile } from './tensor-file';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-tensors-'));
});
afterEach(() => rm(folder, { recursive: true }));

// the file is sparse: it takes a few blocks of the disk
test.each([0, 2 ** 29 - 3, 2 ** 31])('tensors lie where they are said to lie, past element %i too', async (skipped) => {
  const path = join(folder, 'step.bin');
  const tensors = [Float32Array.of(1, 2, 3, 4, 5), new Float32Array(8).fill(7).subarray(2, 4)];
  const places: number[] = [];
  {
    await using file = await createTensorFile(path, skipped);
    for (const tensor of tensors) places.push(await file.append(tensor));
  }
  expect(places).toEqual([skipped, skipped + 5]);
  expect((await stat(path)).size).toBe(4 * (skipped + 7));
  const handle = await open(path);
  const { buffer } = await handle.read(new Float32Array(7), 0, 28, 4 * skipped);
  await handle.close();
  expect([...buffer]).toEqual([1, 2, 3, 4, 5, 7, 7]);
});
