import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '@franca/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder, tinyMetadata, tinyTensors } from '../../test/tiny-model';
import { openWeights } from './open-weights';
import { fittedOnMetadata, hashIdentity } from './rasa-of-weights';

/** A run whose teacher is of step 8, a checkpoint of it of step 4, and planes that were fitted on the teacher. */
let run: string;
let heads: string;
let checkpoint: string;
const head = (width = 16) => ({
  name: 'pos_pred.weight',
  dtype: 'f32' as const,
  shape: [2, width],
  data: Float32Array.from({ length: 2 * width }, (_, i) => Number(i === 0 || i === width + 1)),
});
const fitted = async (weights: string, more: { size?: number } = {}) => {
  await using opened = await openWeights(weights, { rasa: 'none' });
  const { model, step } = opened;
  return fittedOnMetadata({ model, step, weights: hashIdentity(await opened.identity()), ...more });
};

beforeAll(async () => {
  run = await temporaryFolder();
  checkpoint = join(run, 'checkpoints', 'step-00000004', 'teacher.safetensors');
  heads = join(run, 'rasa', 'rasa_head.safetensors');
  await mkdir(join(run, 'checkpoints', 'step-00000004'), { recursive: true });
  await mkdir(join(run, 'rasa'));
  await writeFile(join(run, 'config.yaml'), 'franca:\n  vit:\n    init_std: 0.02\n');
  await writeSafetensors(join(run, 'teacher.safetensors'), tinyTensors(), { ...tinyMetadata, step: '8' });
  const earlier = tinyTensors().map((entry) => ({ ...entry, data: (entry.data as Float32Array).map((x) => x / 2) }));
  await writeSafetensors(checkpoint, earlier, { ...tinyMetadata, step: '4' });
  await writeSafetensors(heads, [head()], await fitted(run, { size: 32 }));
});
afterAll(() => rm(run, { recursive: true }));

test('planes in the folder of a run are used with the weights that they were fitted on, and said', async () => {
  for (const path of [run, join(run, 'teacher.safetensors')]) {
    await using weights = await openWeights(path);
    expect([weights.rasa.planes.length, weights.rasa.fittedAt]).toEqual([1, 32]);
    expect(weights.name).toBe(`${weights.model} + RASA 1`);
    expect(weights.notes.at(-1)).toMatch(/^RASA: 1 plane of .*rasa_head\.safetensors; --rasa none leaves them out$/);
  }
  await using without = await openWeights(run, { rasa: 'none' });
  expect([without.rasa.planes.length, without.name, without.notes]).toEqual([0, without.model, []]);
});

test.each([
  [
    'another step of the run',
    () => checkpoint,
    /are left out: they were fitted on step 8, this is step 4; --rasa .* takes them all the same$/,
  ],
  ['an untrained model', () => `random:${run}`, /are left out: they are those of the trained weights$/],
])('%s does not take them, and says why', async (_, path, why) => {
  await using weights = await openWeights(path());
  expect([weights.rasa.planes.length, weights.name]).toEqual([0, weights.model]);
  expect(weights.notes.filter((note) => note.includes('RASA'))).toEqual([expect.stringMatching(why)]);
});

test('planes that are named are used whatever they were fitted on, and the difference is said', async () => {
  await using weights = await openWeights(checkpoint, { rasa: heads });
  expect(weights.rasa.planes.length).toBe(1);
  expect(weights.notes).toEqual([`the RASA planes of ${heads}: they were fitted on step 8, this is step 4`]);
});

test('planes that do not say what they were fitted on, of another width, or broken are left out', async () => {
  const own = await fitted(run);
  const noteAbout = async (write: () => Promise<unknown>): Promise<string | undefined> => {
    await write();
    await using weights = await openWeights(run);
    expect(weights.rasa.planes).toEqual([]);
    return weights.notes.at(-1);
  };
  expect(await noteAbout(() => writeSafetensors(heads, [head()], { model: 'tiny' }))).toMatch(
    /are left out: their file does not say which weights they were fitted on/,
  );
  expect(await noteAbout(() => writeSafetensors(heads, [head(8)], { ...own, 'rasa.weights': 'else' }))).toMatch(
    /are left out: they were fitted on other weights than these/,
  );
  expect(await noteAbout(() => writeFile(heads, 'torn'))).toMatch(/are left out: .*rasa_head\.safetensors/);
});
