/** What `@franca/checkpoint` opens goes into `@franca/vit` as it is: files that PyTorch wrote, in every form that weights are published in. */
import { fileURLToPath } from 'node:url';
import { openCheckpoint, splitOfficial } from '@franca/checkpoint';
import { sizeOf } from '@franca/tensor';
import { configOf, vitSpecs, weightsOf } from '@franca/vit';
import { expect, test } from 'vitest';

const open = (name: string) =>
  openCheckpoint(fileURLToPath(new URL(`../../../../fixtures/pth/${name}.pth`, import.meta.url)));
/** Heads are in no shape, and those of a width of 8 are not usual. */
const known = { numHeads: 2 };

test.each([
  ['flat', 0],
  ['teacher', 60],
  ['teacher-with-rasa', 3],
  ['fsdp', 60],
])('%s.pth has a configuration and all weights, and says how many tensors are not used', async (name, unused) => {
  await using file = await open(name);
  const { config, ...said } = configOf(file, known);
  expect(said.unused).toHaveLength(unused);
  expect(said.assumed).toEqual(['layerScale', 'interpolateOffset', 'interpolateAntialias']);
  const weights = weightsOf(file);
  const { backbone } = splitOfficial(file).parts;
  for (const [official, { shape }] of Object.entries(vitSpecs(config))) {
    const values = await weights(official);
    expect([official, values?.length]).toEqual([official, sizeOf(shape)]);
    expect(values).toEqual(await backbone.readFloat32(official));
  }
});

test('of a training checkpoint one network is taken out by name, and goes in place of the file', async () => {
  await using file = await open('training');
  expect(() => configOf(file, known)).toThrow(/2 networks, under "model\.student\.backbone\.", "model\.teacher\.back/);
  for (const network of ['student', 'teacher']) {
    const { backbone } = splitOfficial(file, { network }).parts;
    expect(configOf(backbone, known)).toMatchObject({ config: { embedDim: 8, depth: 4 }, unused: [] });
    const stored = await file.readFloat32(`model.${network}.backbone.cls_token`);
    expect(await weightsOf(backbone)('cls_token')).toEqual(stored);
  }
});
