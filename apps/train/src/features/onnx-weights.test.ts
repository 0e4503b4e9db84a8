/** The tiny model as ONNX beside the same as safetensors: what is said of it, what is refused, and that evaluations give the same. */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvalRecord } from '@franca/evals';
import { writeVitOnnx } from '@franca/onnx';
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { printedLines } from '../../test/in-process';
import { temporaryFolder, tinyConfig, tinyTensors, writeTinyModel } from '../../test/tiny-model';
import { runCli } from '../run-cli';
import { openWeights } from './open-weights';
import type { WeightOptions, Weights } from './weights';

let gpu: Gpu;
let folder: string;
let onnx: string;
let native: string;
const printed = printedLines();
beforeAll(async () => {
  gpu = await openGpu();
  folder = await temporaryFolder();
  native = await writeTinyModel(folder);
  onnx = join(folder, 'net.onnx');
  const tensors = new Map(tinyTensors().map(({ name, data }) => [name, data as Float32Array]));
  await writeVitOnnx(onnx, { config: tinyConfig, weights: (name) => tensors.get(name) }, { precision: 'f32' });
});
afterAll(async () => {
  gpu.dispose();
  await rm(folder, { recursive: true });
});

const SIDE = { size: 32 } as const;

/** CLS of a picture of values of 0 to 1, normalised by these. */
async function clsOf(weights: Weights, mean: readonly number[], std: readonly number[]): Promise<Float32Array> {
  const data = Float32Array.from({ length: 3 * 1024 }, (_, i) => {
    const channel = Math.floor(i / 1024);
    return ((i % 7) / 7 - mean[channel]!) / std[channel]!;
  });
  return (await (await weights.load(gpu)).run({ data, shape: [1, 3, 32, 32] })).cls;
}

test('what was found is said: outputs, runtime, pixels; which outputs are read is part of the identity', async () => {
  await using weights = await openWeights(onnx, SIDE);
  expect(weights.name).toBe('net');
  expect(weights.config).toMatchObject({ embedDim: 16, depth: 1, patchSize: 8 });
  expect(weights.outputAlone).toMatchObject({ what: 'the ONNX file', hasPatches: true, side: undefined });
  expect(weights.notes).toEqual([
    expect.stringMatching(/^ONNX by onnxruntime-node \d[\d.]*, cpu$/),
    'CLS: pooler_output; patches: patch_tokens, 8 px each',
    'no preprocessor_config.json lies beside the ONNX file: pixels are normalised by mean and std of ImageNet',
  ]);
  await using other = await openWeights(onnx, { ...SIDE, outputs: { patches: 'last_hidden_state' } });
  expect(other.notes[1]).toMatch(/^CLS: the first token of last_hidden_state; .* without its first token, 8 px each$/);
  expect(await other.identity()).not.toBe(await weights.identity());
});

test('a folder of the hub: pixels as stated in the folder above, its name, and content as identity', async () => {
  const hub = join(folder, 'hub');
  const file = join(hub, 'onnx', 'model.onnx');
  await mkdir(join(hub, 'onnx'), { recursive: true });
  await copyFile(onnx, file);
  const [mean, std] = [[0.5, 0.4, 0.3] as const, [0.5, 0.25, 0.125] as const];
  const stated = { image_mean: mean, image_std: std, crop_size: { height: 32, width: 32 } };
  await writeFile(join(hub, 'preprocessor_config.json'), JSON.stringify(stated));
  await using plain = await openWeights(onnx, SIDE);
  await using weights = await openWeights(hub);
  await using same = await openWeights(file);
  expect([weights.name, same.name]).toEqual(['hub', 'hub']);
  expect(weights.notes.join()).toMatch(/pixels: mean 0\.5, 0\.4, 0\.3 and std 0\.5, 0\.25, 0\.125 \(.*preprocessor/);
  // what the file is made for, given to it as it is, and by way of ImageNet's normalisation
  const expected = await clsOf(plain, mean, std);
  const found = await clsOf(weights, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
  // values of about 1, through sums of f32 of two blocks
  for (const [i, value] of found.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4);
  expect(await same.identity()).toBe(await weights.identity());
  expect(await same.identity()).not.toBe(await plain.identity());
  const bytes = await readFile(file);
  bytes[bytes.indexOf('@franca/onnx')] = 'x'.charCodeAt(0);
  await writeFile(file, bytes);
  await using changed = await openWeights(file);
  expect(await changed.identity()).not.toBe(await weights.identity());
});

test.each<[string, string, WeightOptions, RegExp]>([
  ['heads', '', { heads: 2 }, /--heads says nothing of an ONNX file/],
  ['a network', '', { network: 'teacher' }, /--network says nothing/],
  ['positions', '', { interpolateAntialias: false }, /--interpolate-antialias says nothing/],
  ['an untrained twin', 'random:', {}, /ONNX, which says nothing of initial weights/],
  ['outputs that are not there', '', { outputs: { cls: 'pooled' } }, /no output pooled; .*here: --outputs cls=<name>/],
  ['a patch size that does not fit', '', { patchSize: 16 }, /16 px do not fit patch_tokens .* --patch-size <px>$/],
])('refused: %s', async (_, before, options, said) => {
  await expect(openWeights(before + onnx, { ...SIDE, ...options })).rejects.toThrow(said);
});

test('options of ONNX are refused for other weights; a head is not there', async () => {
  await expect(openWeights(native, { patchSize: 8 })).rejects.toThrow(
    /--patch-size is for ONNX files, which .* is not/,
  );
  await using weights = await openWeights(onnx, SIDE);
  expect(() => weights.head()).toThrow(/has no projection head; take --prototypes k-means/);
});

test('k-NN gives what it gives of the same weights, image by image', async () => {
  const cache = ['--cache', join(folder, 'cache'), '--size', '32'];
  const evaluated = async (weights: string, ...words: string[]): Promise<EvalRecord> => {
    const json = join(folder, 'records.json');
    const data = ['-w', weights, '-d', 'world:length=8:size=40:classes=2', ...cache];
    expect(await runCli(['eval', ...words, ...data, '--json', json]), printed.at(-1)).toBe(0);
    return (JSON.parse(await readFile(json, 'utf8')) as EvalRecord[])[0]!;
  };
  const found = await evaluated(onnx, 'knn');
  const expected = await evaluated(native, 'knn');
  expect([found.features, expected.features]).toEqual(['net', 'tiny']);
  expect([found.value, found.evaluated]).toEqual([expected.value, 8]);
  // what every image gave
  expect(found.items).toEqual(expected.items);
  expect(found.items).toBeDefined();
  expect(found.notes!.join()).toMatch(/CLS: pooler_output/);
});
