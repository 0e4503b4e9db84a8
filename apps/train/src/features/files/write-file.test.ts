/** Features written in each format and read back: the same numbers, names, labels and words. */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/tiny-model';
import { openFeatureFile } from './find-features';
import type { FileOutput } from './raw-features';
import { checkFeatureFormat, writeFeatureFile } from './write-file';
import type { WrittenFeatures } from './written-features';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

const [N, D] = [5, 3];
const VALUES: Readonly<Record<FileOutput, Float32Array>> = {
  cls: Float32Array.from({ length: N * D }, (_, i) => i / 7),
  patch_mean: Float32Array.from({ length: N * D }, (_, i) => -i),
  patches: Float32Array.from({ length: N * 4 * D }, (_, i) => 1 / (1 + i)),
};

/** In batches of two images. */
const features = (outputs: readonly FileOutput[]): WrittenFeatures => {
  const part = (output: FileOutput, begin: number, end: number): Float32Array =>
    VALUES[output].subarray((begin * VALUES[output].length) / N, (end * VALUES[output].length) / N);
  return {
    outputs,
    shape: (output) => (output === 'patches' ? [N, 2, 2, D] : [N, D]),
    async *pieces(output) {
      for (let at = 0; at < N; at += 2) yield part(output, at, Math.min(N, at + 2));
    },
    async *batches() {
      for (let at = 0; at < N; at += 2) {
        const end = Math.min(N, at + 2);
        const of = (output: FileOutput) => (outputs.includes(output) ? part(output, at, end) : undefined);
        yield { images: end - at, cls: of('cls'), patch_mean: of('patch_mean'), patches: of('patches') };
      }
    },
    names: ['a/1.jpg', 'b/ü.jpg', 'c', 'd "e"', '😀'],
    labels: Int32Array.of(1, 0, -1, 1, 1),
    classes: ['cat', 'dog'],
    notes: ['a note', 'another'],
    texts: { model: 'm + RASA 3', dataset: 'photos val', preprocessing: 'squashed to 28 x 28' },
  };
};

test.each(['.safetensors', '.npz', '.parquet', '.npy'])('%s', async (ending) => {
  const outputs: FileOutput[] = ending === '.npy' ? ['cls'] : ['cls', 'patch_mean', 'patches'];
  const path = join(folder, `features${ending}`);
  const bytes = await writeFeatureFile(path, features(outputs));
  expect(bytes).toBe(readFileSync(path).length);
  await using file = await openFeatureFile(path);
  for (const output of outputs) {
    expect(await file.read(output, 0, N), output).toEqual(VALUES[output]);
    expect(await file.read(output, 3, 4), output).toEqual(
      VALUES[output].slice((3 * VALUES[output].length) / N, (4 * VALUES[output].length) / N),
    );
  }
  const { names, labels, classes, notes } = features(outputs);
  expect([[...file.has], file.names, file.labelled, file.grid]).toEqual([
    outputs,
    names,
    { labels, classes },
    outputs.includes('patches') ? [2, 2] : undefined,
  ]);
  expect(file.said).toEqual({
    ...{ model: 'm + RASA 3', dataset: 'photos', split: 'val', preprocessing: 'squashed to 28 x 28', notes },
    config: undefined,
  });
});

test('formats are asked for by the ending', () => {
  expect(() => checkFeatureFormat('a.csv', false)).toThrow(/does not say a format: let it end in \.safetensors, \.npz/);
  expect(() => checkFeatureFormat('a.npy', true)).toThrow(/with --patches write \.npz/);
});
