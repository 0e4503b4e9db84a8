import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@franca/checkpoint';
import { initialValues } from '@franca/nn';
import { dinov2Files, vitConfig, vitSpecs } from '@franca/vit';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { openWeights } from './open-weights';

const config = vitConfig('tiny', { embedDim: 16, depth: 2, numHeads: 2, imgSize: 28, interpolateOffset: 0 });
const specs = vitSpecs(config);
const valuesOf = (name: string) => initialValues(name, specs[name]!, 3);
const source = (name: string) => (specs[name] ? valuesOf(name) : undefined);

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'franca-open-model-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A folder as the transformers library writes one, in two files of weights. */
async function folderOf(name: string, beside: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  const { config: json, tensors } = await dinov2Files(config, source);
  const half = Math.ceil(tensors.length / 2);
  const weightMap: Record<string, string> = {};
  for (const [i, part] of [tensors.slice(0, half), tensors.slice(half)].entries()) {
    const file = `model-0000${i + 1}-of-00002.safetensors`;
    const entries = part.map(({ name: tensor, shape, read }) => ({
      name: tensor,
      dtype: 'f32' as const,
      shape,
      data: read,
    }));
    await writeSafetensors(join(folder, file), entries, { format: 'pt' });
    for (const { name: tensor } of part) weightMap[tensor] = file;
  }
  const texts = {
    'model.safetensors.index.json': { metadata: {}, weight_map: weightMap },
    'config.json': json,
    ...beside,
  };
  for (const [file, value] of Object.entries(texts))
    if (value !== undefined) await writeFile(join(folder, file), JSON.stringify(value));
  return folder;
}

test('a folder of the transformers library is the model with its pixels', async () => {
  const folder = await folderOf('halves', {
    'preprocessor_config.json': {
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
      size: { height: 28, width: 28 },
    },
  });
  await using weights = await openWeights(folder);
  expect(weights.config).toMatchObject({ ...config, layerScale: 1e-5 });
  expect(weights.assumed).toEqual([]);
  for (const name of ['blocks.1.attn.qkv.weight', 'blocks.0.ls1.gamma', 'pos_embed', 'norm.bias'])
    expect(Float32Array.from((await weights.read(name))!), name).toEqual(Float32Array.from(valuesOf(name)));
  expect(weights.notes).toEqual([
    expect.stringMatching(/^Dinov2Model of the transformers library, by .*config.json$/),
    expect.stringMatching(/without the offset/),
    expect.stringMatching(/^pixels: mean 0.5, 0.5, 0.5 and std 0.5, 0.5, 0.5 .* folded into the patch embedding$/),
    expect.stringMatching(/asks for whole pictures squeezed to 28 x 28; pictures are prepared as the evaluation says/),
  ]);
  // a grey pixel of 0.5 is 0 to the model, and something else to ImageNet's normalisation: the bias takes it up
  const [mean, std] = [0.485, 0.229];
  const w = (await weights.read('patch_embed.proj.weight'))!;
  expect(w[0]).toBeCloseTo((valuesOf('patch_embed.proj.weight')[0]! * std) / 0.5, 6);
  const plain = await folderOf('plain', {
    'preprocessor_config.json': { image_mean: [mean, 0.456, 0.406], image_std: [std, 0.224, 0.225] },
  });
  await using other = await openWeights(plain);
  expect(await other.identity()).not.toBe(await weights.identity());
  expect(other.notes).toHaveLength(2);
});

/** What a range asks for of a file, as the hub sends it. */
function sendRange(response: ServerResponse, bytes: Buffer, range = ''): void {
  const [, start = '0', end = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  const last = Math.min(bytes.length - 1, end === '' ? bytes.length : Number(end));
  response.setHeader('etag', '"fixed"').setHeader('content-range', `bytes ${start}-${last}/${bytes.length}`);
  response.writeHead(206).end(bytes.subarray(Number(start), last + 1));
}

test('the same model by its name on a hub, and what stands in its records', async () => {
  const folder = await folderOf('served', {});
  const files = [
    'config.json',
    'model.safetensors.index.json',
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
  ];
  const server = createServer(({ url = '', headers }, response) => {
    const list = files.map((path) => ({
      type: 'file',
      path,
      oid: '0a',
      size: readFileSync(join(folder, path)).length,
    }));
    const [, name = ''] = /^\/ada\/vit\/resolve\/main\/(.+)$/.exec(url) ?? [];
    if (url.startsWith('/api/models/ada/vit/tree/main'))
      response.setHeader('content-type', 'application/json').end(JSON.stringify(list));
    else if (files.includes(name)) sendRange(response, readFileSync(join(folder, name)), headers.range);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('XDG_CACHE_HOME', join(root, 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
  await using weights = await openWeights('hf://ada/vit');
  expect(weights.name).toBe('ada/vit');
  expect(Float32Array.from((await weights.read('cls_token'))!)).toEqual(Float32Array.from(valuesOf('cls_token')));
  expect(weights.notes.at(-1)).toMatch(/no preprocessor_config.json/);
  await using untrained = await openWeights('random:hf://ada/vit');
  expect(untrained.name).toBe('random ada/vit');
  await expect(openWeights('hf://ada/other')).rejects.toMatchObject({ code: 'http-status' });
});

test('a folder that contradicts itself, or does not say what it is, is refused with both names', async () => {
  const other = await folderOf('other', {
    'config.json': { ...(await dinov2Files(config, source)).config, hidden_size: 32 },
  });
  await expect(openWeights(other)).rejects.toThrow(/model.safetensors.index.json, with .*config.json: .*32/);
  await expect(
    openWeights(await folderOf('broken', { 'preprocessor_config.json': { image_mean: [1], image_std: [1] } })),
  ).rejects.toThrow(/preprocessor_config.json: mean \[1\] and std \[1\]; three numbers each are expected/);
  await expect(
    openWeights(await folderOf('scaled', { 'preprocessor_config.json': { rescale_factor: 1 } })),
  ).rejects.toThrow(/rescales pixels by 1; only 1\/255 is known/);
  const lonely = await folderOf('lonely', {});
  await rm(join(lonely, 'config.json'));
  await expect(openWeights(lonely)).rejects.toThrow(/config.json/);
});
