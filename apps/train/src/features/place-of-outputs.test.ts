import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/tiny-model';
import { placeOfOutputs } from './place-of-outputs';

test('results go into the folder of the run, under a name that says of which of its weights they are', async () => {
  const run = await temporaryFolder();
  onTestFinished(() => rm(run, { recursive: true }));
  const checkpoint = join(run, 'checkpoints', 'step-00000002');
  await mkdir(checkpoint, { recursive: true });
  await writeFile(join(run, 'config.yaml'), '');
  const suffixes = {
    [run]: '',
    [join(run, 'teacher.safetensors')]: '',
    [`random:${run}`]: '-untrained',
    [checkpoint]: '-step-00000002',
    [join(checkpoint, 'teacher.safetensors')]: '-step-00000002',
    [join(run, 'rasa', 'folded.safetensors')]: '-rasa-folded',
  };
  for (const [weights, suffix] of Object.entries(suffixes))
    expect(placeOfOutputs(weights)).toEqual({ folder: run, suffix });
});

test('a folder of weights alone is a place, a file alone is none', async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  expect(placeOfOutputs(folder)).toEqual({ folder, suffix: '' });
  expect(placeOfOutputs(join(folder, 'vitb14.pth'))).toBeUndefined();
});
