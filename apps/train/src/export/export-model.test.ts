/** A whole export of a tiny run, read by the libraries that it is for; and what the formats and checks refuse. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '@franca/checkpoint';
import { evalRecord } from '@franca/evals';
import { removePlanes } from '@franca/rasa';
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { type ImageBatch, loadVit, type VitConfig, vitConfig, vitSpecs } from '@franca/vit';
import { AutoModel, env, pipeline, RawImage, Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { temporaryFolder, tinyMetadata, tinyTensors } from '../../test/tiny-model';
import { loadConfig } from '../config/load';
import { openWeights } from '../features/open-weights';
import { noRasa } from '../features/rasa-of-weights';
import { differenceOf, type OnnxDifference, poorPatches, refuseWrong, TOLERANCE } from './check-onnx';
import { checkTensors } from './check-tensors';
import { exportModel } from './export-model';
import type { ExportedWeights } from './model-file';
import { writeModelFile } from './model-file';
import { checkNewFolder, writeNewFolder } from './new-folder';
import { officialFile } from './official-names';
import { ONNX_TYPES, type OnnxType } from './onnx-types';
import { timmFile } from './timm-names';

let folder: string;
let run: string;
let gpu: Gpu;
beforeAll(async () => {
  folder = await temporaryFolder();
  run = join(folder, 'run');
  gpu = await openGpu();
  await writeRun();
  env.allowRemoteModels = false;
});
afterAll(async () => {
  gpu.dispose();
  await rm(folder, { recursive: true });
});

/** A run of the tiny model as it lies on disk: weights, a plane of RASA, configuration, log, a result. */
async function writeRun(): Promise<void> {
  await mkdir(run);
  await writeSafetensors(join(run, 'teacher.safetensors'), tinyTensors(), { ...tinyMetadata, step: '7' });
  const plane = Float32Array.from({ length: 32 }, (_, i) => Math.sin(1 + i));
  const head = { name: 'pos_pred.weight', dtype: 'f32', shape: [2, 16], data: plane } as const;
  await writeSafetensors(join(run, 'rasa_head.safetensors'), [head]);
  const { config } = loadConfig(['cpu-tiny'], ['train.dataset_path=/home/ada/roses', 'franca.vit.embed_dim=96']);
  await writeFile(join(run, 'config.yaml'), stringify(config));
  const rows = [1, 2, 3].map((step) => JSON.stringify({ step, loss: 9 - step, knn: step / 10 }));
  await writeFile(join(run, 'metrics.jsonl'), `${rows.join('\n')}\n`);
  await writeFile(join(run, 'outcome.json'), JSON.stringify({ sentence: 'It learned in /home/ada/roses.' }));
  const subject = { dataset: 'roses', split: 'val', features: 'run', preprocessing: 'as it is', notes: ['one | note'] };
  const record = evalRecord(subject, {
    ...{ task: 'knn', protocol: 'p', variant: '20 neighbours', metric: 'top-1', unit: 'share', value: 0.4567 },
    ...{ evaluated: 10, total: 12, others: {}, perClass: [], hyper: {}, selectedOn: 'nothing', seeds: [] },
    ...{ quirks: false, wallMs: 1 },
  });
  await writeFile(join(run, 'evals.json'), JSON.stringify([record]));
}

/** Pixels that differ everywhere. */
const imagesOf = (B: number, H: number, W: number): ImageBatch => ({
  data: Float32Array.from({ length: B * 3 * H * W }, (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011)),
  shape: [B, 3, H, W],
});

const largest = (a: ArrayLike<number>, b: Float32Array): number =>
  a.length === b.length ? b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0) : Number.NaN;

describe('the export of a run', () => {
  const said: string[] = [];
  let to: string;
  beforeAll(async () => {
    to = join(folder, 'rose');
    await exportModel({ weights: run, to, format: 'hf', onnx: ONNX_TYPES }, (line) => said.push(line));
  });

  test('is a folder with everything, and nothing half-written beside it', async () => {
    expect((await readdir(to, { recursive: true })).sort()).toEqual([
      ...['README.md', 'config.json', 'config.yaml', 'knn.png', 'loss.png', 'metrics.jsonl', 'model.safetensors'],
      ...['onnx', 'onnx/model.onnx', 'onnx/model_fp16.onnx', 'onnx/model_quantized.onnx'],
      ...['preprocessor_config.json', 'rasa_head.safetensors'],
    ]);
    expect((await readdir(folder)).sort()).toEqual(['rose', 'run']);
    await using file = await openSafetensors(join(to, 'model.safetensors'));
    expect(file.metadata.format).toBe('pt');
    expect(file.tensors.get('encoder.layer.1.attention.attention.key.weight')!.shape).toEqual([16, 16]);
    expect(said.join('\n')).toMatch(
      /onnx\/model\.onnx: beside the engine at 32 x 32 and 48 x 40 px, CLS off by \d\.\de-/,
    );
  });

  test('is opened by transformers.js without a network: model at two sizes and pipeline give what the engine gives', async () => {
    await using weights = await openWeights(run);
    using engine = await loadVit(gpu, { config: weights.config, weights: weights.read });
    const model = await AutoModel.from_pretrained(to, { dtype: 'fp32' });
    for (const [H, W] of [
      [32, 32],
      [48, 40],
    ] as const) {
      const images = imagesOf(2, H, W);
      const outputs = await model({ pixel_values: new Tensor('float32', images.data, [...images.shape]) });
      const { cls, patches } = await engine.run(images, { patches: true });
      const plain = Float32Array.from(patches);
      removePlanes(patches, 16, weights.rasa.planes);
      expect(largest(outputs.pooler_output.data, cls)).toBeLessThan(2e-5);
      expect(largest(outputs.patch_tokens.data, patches)).toBeLessThan(2e-5);
      expect(largest(patches, plain)).toBeGreaterThan(0.1);
      const N = plain.length / 2;
      expect(largest(outputs.last_hidden_state.data.slice(16, 16 + N), plain.subarray(0, N))).toBeLessThan(2e-5);
    }
    await model.dispose();

    const extract = await pipeline('image-feature-extraction', to, { dtype: 'fp32' });
    const pixels = Uint8ClampedArray.from({ length: 3 * 50 * 40 }, (_, i) => (i * 7) % 256);
    const picture = new RawImage(pixels, 50, 40, 3);
    const { pixel_values } = await extract.processor!([picture]);
    const features = await extract(picture, { pool: true });
    const given = {
      data: pixel_values.data as Float32Array,
      shape: pixel_values.dims as [number, number, number, number],
    };
    expect(given.shape).toEqual([1, 3, 32, 32]);
    expect(largest(features.data as Float32Array, (await engine.run(given)).cls)).toBeLessThan(2e-5);
    await extract.dispose();
  });

  test('has a card with what the run tells, fields to fill in, and no folder of this machine', async () => {
    const card = await readFile(join(to, 'README.md'), 'utf8');
    expect(card).toMatch(/^---\nlicense: # To fill in: .*\nlibrary_name: transformers\n/);
    for (const text of [
      'the teacher of a self-supervised run after 7 updates: 2 blocks of width 16, 2 heads',
      '`roses`; how many pictures is not known',
      '| `student.patch_size` | 8 | 16 |',
      'The first 6, 12, 24, 48 components',
      '| knn | 20 neighbours | top-1, % | 45.7 | roses val | 10 of 12 | run | nothing |',
      'removed from its token by RASA: 1 plane',
      '![loss](loss.png)',
      'It learned in roses.',
      '| onnx/model.onnx | 48 x 40 | patch_tokens |',
      'tokens[:, 1:]',
      "AutoModel.from_pretrained(folder, { dtype: 'fp32' }); // fp32, fp16, q8",
    ])
      expect(card).toContain(text);
    expect(card).not.toContain('/home/ada');
  });

  test('is not written over', async () => {
    await expect(exportModel({ weights: run, to, format: 'hf', onnx: [] }, () => {})).rejects.toThrow(
      /rose holds README.md, config.json, config.yaml, \.\.\., and nothing is written over; give another --to/,
    );
  });
});

const REGISTERS: VitConfig = vitConfig('tiny', {
  ...{ embedDim: 8, depth: 1, numHeads: 1, imgSize: 8, patchSize: 4, ffnLayer: 'swiglu', numRegisterTokens: 2 },
});

/** Values that tell their places. */
function weightsOf(config: VitConfig): ExportedWeights {
  const specs = Object.entries(vitSpecs(config));
  const values = new Map(
    specs.map(([name, { shape }], i) => [
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, k) => i + k / 1024),
    ]),
  );
  return { config, assumed: [], read: (name) => values.get(name), rasa: noRasa };
}

describe('timm', () => {
  test('has registers without a position of the class, and a packed SwiGLU as fc1 and fc2', async () => {
    const weights = weightsOf(REGISTERS);
    const { tensors } = await timmFile(weights);
    const named = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    expect([...named.keys()].filter((name) => !name.startsWith('blocks.'))).toEqual([
      ...['cls_token', 'pos_embed', 'reg_token', 'patch_embed.proj.weight', 'patch_embed.proj.bias'],
      ...['norm.weight', 'norm.bias'],
    ]);
    const [cls, table] = [weights.read('cls_token'), weights.read('pos_embed')] as [Float32Array, Float32Array];
    expect(await named.get('cls_token')!.read()).toEqual(cls.map((value, i) => value + table[i]!));
    expect(named.get('pos_embed')!.shape).toEqual([1, 4, 8]);
    expect(await named.get('pos_embed')!.read()).toEqual(table.slice(8));
    expect(await named.get('blocks.0.mlp.fc1.weight')!.read()).toEqual(weights.read('blocks.0.mlp.w12.weight'));
    expect(await named.get('blocks.0.mlp.fc2.bias')!.read()).toEqual(weights.read('blocks.0.mlp.w3.bias'));
  });

  test('refuses what its model cannot hold', async () => {
    const weights = weightsOf(REGISTERS);
    const folded = { ...weights, rasa: { ...noRasa, folded: { weight: [], bias: [] } } };
    await expect(timmFile(folded)).rejects.toThrow(/no place for a folded RASA; give --rasa none/);
    const rotary = { ...weights, config: { ...REGISTERS, ropeTheta: 100 } };
    await expect(timmFile(rotary)).rejects.toThrow(/no rotary positions/);
  });
});

test('a file that is off by a bit is refused with the name of the tensor', async () => {
  const weights = weightsOf(REGISTERS);
  const model = await officialFile(weights);
  const path = join(folder, 'official.safetensors');
  await writeModelFile(path, model);
  expect(await checkTensors(path, 'official', { model, weights })).toBe(Object.keys(vitSpecs(REGISTERS)).length);
  const other = {
    ...weights,
    read: (name: string) => (name === 'norm.bias' ? new Float32Array(8).fill(-0) : weights.read(name)),
  };
  await expect(checkTensors(path, 'official', { model, weights: other })).rejects.toThrow(/"norm.bias" .*value 0 is /);
});

test('differences are those of the worst token, and of an ONNX file in f32 only rounding is let through', () => {
  const wanted = Float32Array.of(3, 4, 1, 0);
  const found = differenceOf(Float32Array.of(3, 4, 0.6, 0.8), wanted, 2);
  expect(found.difference).toBeCloseTo(0.8, 6);
  expect(found.largest).toBe(4);
  expect(found.cosine).toBeCloseTo(0.6, 6);
  expect(found.meanCosine).toBeCloseTo(0.8, 6);
  expect(differenceOf(Float32Array.of(3, Number.NaN, 1, 0), wanted, 2).difference).toBeNaN();

  const of = (type: OnnxType, difference: number): OnnxDifference[] => [
    { ...found, type, difference, file: 'm.onnx', size: [8, 12], output: 'patch_tokens' },
  ];
  refuseWrong([...of('fp32', 4 * TOLERANCE), ...of('fp16', 1), ...of('q8', Number.NaN)]);
  const message = /patch_tokens of m\.onnx differs from the engine by .* at 8 x 12 px, where values reach 4\.00/;
  for (const wrong of [4.01 * TOLERANCE, Number.NaN]) expect(() => refuseWrong(of('fp32', wrong))).toThrow(message);

  expect(poorPatches(of('q8', 1))).toEqual([expect.stringMatching(/^patches of m\.onnx are poor, .* engine's 0\.60:/)]);
  for (const good of [{ cosine: 0.95 }, { output: 'pooler_output' }])
    expect(poorPatches([{ ...of('q8', 1)[0]!, ...good }])).toEqual([]);
});

test('a folder that fails leaves nothing', async () => {
  const path = join(folder, 'never', 'made');
  const failing = writeNewFolder(path, async (aside) => {
    await writeFile(join(aside, 'half'), 'x');
    throw new Error('out of paper');
  });
  await expect(failing).rejects.toThrow('out of paper');
  expect(await readdir(join(folder, 'never'))).toEqual([]);
  await writeFile(join(folder, 'file'), 'x');
  await expect(checkNewFolder(join(folder, 'file'))).rejects.toThrow(/is a file/);
});
