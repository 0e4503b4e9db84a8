import { initialValues } from '@franca/nn';
import { openGpu } from '@franca/tensor/node';
import { expect, test } from 'vitest';
import { vitConfig } from './config';
import { FINAL_LAYER } from './final-layer';
import { type LoadOptions, loadVit } from './load';
import { vitSpecs } from './specs';
import { CONFIG_KEY, encodeVitConfig } from './stored-config';

const config = vitConfig('tiny', { embedDim: 16, depth: 1, numHeads: 4, imgSize: 16, patchSize: 8 });
const specs = vitSpecs(config);
const weights = (name: string) => initialValues(name, specs[name]!, 1);
const images = { data: Float32Array.from({ length: 3 * 256 }, (_, i) => Math.sin(i)), shape: [1, 3, 16, 16] } as const;
const metadata = { [CONFIG_KEY]: encodeVitConfig({ config, assumed: ['numHeads'] }) };
/** An open file of the model behind a prefix, with other tensors beside it. */
const fileOf = (more: Readonly<Record<string, Float32Array>> = {}) => ({
  tensors: new Map([
    ...Object.entries(specs).map(([name, { shape }]) => [`teacher.backbone.${name}`, { shape }] as const),
    ...Object.entries(more).map(([name, { length }]) => [name, { shape: [length] }] as const),
  ]),
  readFloat32: async (name: string) => more[name] ?? weights(name.slice('teacher.backbone.'.length)),
  metadata,
});

test('an open file is a model: configuration, names and what is not used', async () => {
  await using gpu = await openGpu();
  using given = await loadVit(gpu, { config, weights });
  using read = await loadVit(gpu, fileOf({ 'head.bias': new Float32Array(3) }));
  expect([read.config, read.assumed, read.unused]).toEqual([config, ['numHeads'], ['head.bias']]);
  expect([given.config, given.assumed, given.unused]).toEqual([config, [], []]);
  const expected = await given.run(images, { patches: true });
  expect(await read.run(images, { patches: true })).toEqual(expected);
  // heads are in no shape, and change the numbers
  using other = await loadVit(gpu, fileOf(), { known: { numHeads: 2 } });
  expect([other.config.numHeads, other.assumed]).toEqual([2, []]);
  expect((await other.run(images)).cls).not.toEqual(expected.cls);
  // a file with a final layer is the model with it; this one gives the bias whatever comes in
  const layer = { [FINAL_LAYER.weight]: new Float32Array(256), [FINAL_LAYER.bias]: new Float32Array(16).fill(3) };
  const behind = Object.fromEntries(Object.entries(layer).map(([name, data]) => [`teacher.backbone.${name}`, data]));
  using folded = await loadVit(gpu, fileOf(behind));
  const { cls, patches } = await folded.run(images, { patches: true });
  expect([cls, patches.every((value) => value === 3)]).toEqual([expected.cls, true]);
});

test('options that do not exist, and known values beside a configuration, are refused', async () => {
  await using gpu = await openGpu();
  const options = { numHeads: 4 } as LoadOptions;
  await expect(loadVit(gpu, fileOf(), options)).rejects.toThrow(
    /no option "numHeads"; it has known, dtype, finalLayer/,
  );
  await expect(loadVit(gpu, { config, weights }, { known: { numHeads: 4 } })).rejects.toThrow(/known values are for/);
  await expect(loadVit(gpu, 'a.safetensors' as never)).rejects.toThrow(/not from its path "a\.safetensors"/);
});
