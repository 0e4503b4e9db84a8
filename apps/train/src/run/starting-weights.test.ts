import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { type PretrainOptions, pretrainGroups, pretrainOptions } from '@franca/pretraining';
import { createState, type Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headTensors, tinyHead } from '../../test/tiny-heads';
import { temporaryFolder, tinyConfig, tinyMetadata, tinyTensors } from '../../test/tiny-model';
import { configMetadata } from '../features/config-of-file';
import { programCommand } from '../text/program';
import { resampleTable } from './position-table';
import { openPretrained, positionNote, type StartRequest, startFresh, startingModel } from './starting-weights';

let folder: string;
let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
  folder = await temporaryFolder();
});
afterAll(async () => {
  await gpu.dispose();
  await rm(folder, { recursive: true });
});

const FRESH: StartRequest = { numHeads: undefined, carryHeads: false };
const KEPT: StartRequest = { ...FRESH, carryHeads: true };
const fresh = 'projection heads start fresh';

test('the model is that of the weights; attention heads that nothing tells are asked for by their setting', async () => {
  const path = join(folder, 'teacher.safetensors');
  await writeSafetensors(path, tinyTensors(), tinyMetadata);
  const said = await startingModel(path, { ...FRESH, numHeads: 4 });
  expect(said).toMatchObject({ file: path, vit: tinyConfig, heads: undefined });
  expect(said.notes).toEqual([
    `starting from ${path}: a ViT of width 16, 2 blocks, 2 heads, patches of 8 px, as the weights are`,
    fresh,
  ]);
  for (const metadata of [{}, configMetadata({ config: tinyConfig, assumed: ['numHeads'] })]) {
    await writeSafetensors(path, tinyTensors(), metadata);
    const unsaid = await startingModel(path, { ...FRESH, numHeads: 4 });
    expect(unsaid.vit.numHeads).toBe(4);
    expect(unsaid.notes.join()).toContain('heads: 4, given by franca.vit.num_heads');
  }
  await writeSafetensors(path, tinyTensors());
  await expect(startingModel(path, FRESH)).rejects.toThrow('say how many with franca.vit.num_heads');
  const extra: TensorEntry = { name: 'fc_norm.weight', dtype: 'f32', shape: [16], data: new Float32Array(16) };
  await writeSafetensors(path, [...tinyTensors(), extra], tinyMetadata);
  await expect(startingModel(path, FRESH)).rejects.toThrow(/"fc_norm\.weight" belongs to another architecture/);
});

test('which network of the file a run starts from is said, or asked for with the way to take one out', async () => {
  const path = join(folder, 'my deit.safetensors');
  await writeSafetensors(path, [...tinyTensors('model.'), ...tinyTensors('model_ema.')], tinyMetadata);
  const takes = `${programCommand(['import', path, '--network', 'NAME', '--out', 'FOLDER'])} takes one out`;
  expect((await startingModel(path, FRESH)).notes[1]).toBe(
    `network: "model"; the file also holds "model_ema"; ${takes}`,
  );
  await writeSafetensors(path, [...tinyTensors('a.'), ...tinyTensors('b.')], tinyMetadata);
  await expect(startingModel(path, FRESH)).rejects.toThrow(`choose the network by its name: ${takes}`);
});

/** Everything that a state is filled with from weights, by the names of the state, and what the file has of it. */
async function filled(path: string, carryHeads: boolean, imgSize = tinyConfig.imgSize) {
  const vit = { ...tinyConfig, imgSize };
  const options: PretrainOptions = pretrainOptions({
    ...{ vit, heads: { dino: tinyHead, ibot: tinyHead }, batch: { perDevice: 2 }, schedule: { iterations: 1 } },
    crops: { local_crops_number: 0 },
  });
  using state = createState(gpu, pretrainGroups(options));
  await using pretrained = await openPretrained(path, { vit, loop: { carryHeads } });
  await startFresh(gpu, state, options, pretrained.weights);
  const read = async (group: string) =>
    Object.fromEntries(
      await Promise.all(
        Object.keys(state.layout.student.segments).map(async (name) => [
          name,
          Float32Array.from(await state.read(group as 'student', name)),
        ]),
      ),
    ) as Record<string, Float32Array>;
  return { student: await read('student'), teacher: await read('teacher') };
}

const values = (entries: readonly TensorEntry[]): Record<string, Float32Array> =>
  Object.fromEntries(entries.map(({ name, data }) => [name, data as Float32Array]));

test('heads of a teacher checkpoint go over to the bit, with student and teacher alike, from the file or from beside it', async () => {
  const heads = [...headTensors('dino_head.'), ...headTensors('ibot_head.', 5)];
  const whole = join(folder, 'teacher_checkpoint.safetensors');
  await writeSafetensors(whole, [...tinyTensors('backbone.'), ...heads], tinyMetadata);
  const imported = join(folder, 'imported');
  await mkdir(imported);
  const source = { source: 'teacher_checkpoint.pth' };
  await writeSafetensors(join(imported, 'backbone.safetensors'), tinyTensors(), { ...tinyMetadata, ...source });
  await writeSafetensors(join(imported, 'dino_head.safetensors'), headTensors(''), source);
  await writeSafetensors(join(imported, 'ibot_head.safetensors'), headTensors('', 5), source);
  const expected = values([...tinyTensors('backbone.'), ...heads]);
  for (const path of [whole, imported]) {
    const model = await startingModel(path, KEPT);
    expect(model.heads).toEqual({ dino: tinyHead, ibot: tinyHead });
    expect(model.notes.at(-1)).toMatch(
      /^projection heads go on with the weights, .*: of DINO 16, 32 prototypes, of iBOT/,
    );
    const { student, teacher } = await filled(path, true);
    expect(student).toEqual(expected);
    expect(teacher).toEqual(expected);
  }
  expect((await startingModel(whole, FRESH)).notes.at(-1)).toBe(
    `${fresh}; ${whole} holds some, and franca.carry_heads=true takes them`,
  );
  const { student } = await filled(whole, false);
  expect(student['backbone.norm.weight']).toEqual(expected['backbone.norm.weight']);
  expect(student['dino_head.mlps.0.0.weight']).not.toEqual(expected['dino_head.mlps.0.0.weight']);
});

test('positions are those of the crops, smaller or larger; a mask token that timm has not starts fresh, and nothing else may be missing', async () => {
  const path = join(folder, 'timm.safetensors');
  const tensors = tinyTensors().filter(({ name }) => name !== 'mask_token');
  await writeSafetensors(path, tensors, tinyMetadata);
  const model = await startingModel(path, KEPT);
  expect(model.notes.at(-1)).toBe(`${fresh}: with these weights there are none`);
  const table = values(tensors).pos_embed!;
  for (const imgSize of [16, 56]) {
    const { teacher } = await filled(path, true, imgSize);
    expect(teacher['backbone.pos_embed']).toEqual(resampleTable(table, 4, imgSize / 8, 16));
    expect(teacher['backbone.mask_token']).toEqual(new Float32Array(16));
    expect(positionNote(model, { ...tinyConfig, imgSize })[0]).toContain(
      `positions resampled from 4 x 4 (32 px) to ${imgSize / 8} x ${imgSize / 8} (${imgSize} px)`,
    );
  }
  expect(positionNote(model, tinyConfig)).toEqual([]);
  await writeSafetensors(
    path,
    tensors.filter(({ name }) => name !== 'blocks.1.norm2.bias'),
    tinyMetadata,
  );
  await expect(filled(path, true)).rejects.toThrow('lacks "blocks.1.norm2.bias"');
});
