import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveRunCheckpoint, writeSafetensors } from '@franca/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder, tinyTensors } from '../../test/tiny-model';
import { findWeights } from './find-weights';

let run: string;
beforeAll(async () => {
  run = join(await temporaryFolder(), 'run');
  await mkdir(run);
});
afterAll(() => rm(join(run, '..'), { recursive: true }));

const save = (step: number) =>
  saveRunCheckpoint(run, { step, state: {}, stateVersion: 1, tensors: { teacher: tinyTensors('backbone.') } });

test('a run means its newest teacher, exported or in a checkpoint that is whole; which one is said', async () => {
  const exported = join(run, 'teacher.safetensors');
  const second = await save(2);
  expect(await findWeights(run)).toMatchObject({
    file: join(second, 'teacher.safetensors'),
    notes: ['the teacher after step 2, from its checkpoint'],
  });
  await writeSafetensors(exported, tinyTensors(), { step: '2' });
  expect(await findWeights(run)).toMatchObject({ file: exported, notes: [] });
  const third = await save(3);
  expect(await findWeights(run)).toMatchObject({
    file: join(third, 'teacher.safetensors'),
    notes: ['the teacher after step 3, from its checkpoint; teacher.safetensors is older'],
  });
  await writeFile(join(third, 'teacher.safetensors'), 'cut');
  expect(await findWeights(run)).toMatchObject({
    file: exported,
    notes: [expect.stringMatching(/^passed over: .*damaged/)],
  });
});
