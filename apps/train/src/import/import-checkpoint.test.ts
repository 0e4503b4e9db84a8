import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors, type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { CONFIG_KEY, decodeVitConfig, type VitConfig, vitConfig, vitSpecs } from '@franca/vit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importCheckpoint } from './import-checkpoint';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-import-'));
});
afterAll(() => rm(folder, { recursive: true }));

const tensor = (name: string, ...shape: number[]): TensorEntry => ({
  name,
  dtype: 'f32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5),
});

test('backbone and heads become files of their own, blocks flattened, with a report', async () => {
  const D = 16;
  const source = join(folder, 'model.safetensors');
  const backbone = (prefix: string) => [
    tensor(`${prefix}cls_token`, 1, 1, D),
    tensor(`${prefix}pos_embed`, 1, 17, D),
    tensor(`${prefix}patch_embed.proj.weight`, D, 3, 14, 14),
    tensor(`${prefix}blocks.0.0.attn.qkv.weight`, 3 * D, D),
    tensor(`${prefix}blocks.1.1.attn.qkv.weight`, 3 * D, D),
    tensor(`${prefix}norm.weight`, D),
    tensor(`${prefix}norm.bias`, D),
  ];
  await writeSafetensors(source, [
    ...backbone('model.teacher.backbone.'),
    ...backbone('model.student.backbone.'),
    tensor('model.teacher.dino_head.matryoshka_projections.0.weight', 4, 4),
    tensor('model.teacher.dino_head.last_layers.0.weight_v', 32, 8),
    tensor('model.teacher.ibot_head.last_layer.weight_v', 64, 8),
  ]);
  const out = join(folder, 'out');
  const lines = await importCheckpoint([source], out);
  expect(lines.slice(0, 4)).toEqual([
    'model.safetensors, network under "model.teacher"',
    'backbone: 2 blocks of 16, patch 14, made for 56 px (4 x 4 positions), mlp, 2 chunks flattened',
    'dino_head: 1 nested levels (slice), 32 prototypes',
    'ibot_head: plain, 64 prototypes',
  ]);
  expect((await readdir(out)).sort()).toEqual([
    'backbone.safetensors',
    'dino_head.safetensors',
    'ibot_head.safetensors',
  ]);
  await using written = await openSafetensors(join(out, 'backbone.safetensors'));
  expect([...written.tensors.keys()].filter((name) => name.startsWith('blocks'))).toEqual([
    'blocks.0.attn.qkv.weight',
    'blocks.1.attn.qkv.weight',
  ]);
});

test('the configuration goes with the backbone, what was assumed as such; none is written where it is not known', async () => {
  const small = vitConfig('small', {
    depth: 1,
    numRegisterTokens: 4,
    interpolateOffset: 0,
    interpolateAntialias: true,
  });
  const write = async (name: string, config: VitConfig) => {
    const tensors = Object.entries(vitSpecs(config)).map(([key, { shape }]) => tensor(key, ...shape));
    await writeSafetensors(join(folder, name), tensors);
    return join(folder, name);
  };
  const out = join(folder, 'small');
  const lines = await importCheckpoint([await write('small.safetensors', small)], out);
  expect(lines).toContain('configuration: 6 heads, positions resampled antialiased with offset 0');
  expect(lines).toContainEqual(expect.stringMatching(/^note: heads: 6 assumed, 64 wide/));
  await using written = await openSafetensors(join(out, 'backbone.safetensors'));
  const stored = { config: small, assumed: ['numHeads', 'layerScale', 'interpolateOffset', 'interpolateAntialias'] };
  expect(decodeVitConfig(written.metadata[CONFIG_KEY]!)).toEqual(stored);
  expect(decodeVitConfig(await readFile(join(out, 'config.json'), 'utf8'))).toEqual(stored);

  const narrow = await write('narrow.safetensors', { ...small, embedDim: 96, numHeads: 3 });
  const unknown = await importCheckpoint([narrow], join(folder, 'narrow'));
  expect(unknown.at(-1)).toMatch(/^the configuration of the model is not written.*say how many with --heads$/);
  expect(await readdir(join(folder, 'narrow'))).toEqual(['backbone.safetensors']);
  await importCheckpoint([narrow], join(folder, 'three heads'), { heads: 3 });
  expect(await readdir(join(folder, 'three heads'))).toEqual(['backbone.safetensors', 'config.json']);
});

test('files that are not one checkpoint are refused and leave nothing behind', async () => {
  const out = join(folder, 'none');
  await expect(importCheckpoint(['a.pth', 'b.pth'], out)).rejects.toThrow('import one checkpoint at a time');
  await expect(importCheckpoint([join(folder, 'absent.tar.gz.part_aa')], out)).rejects.toThrow();
  expect(await readdir(folder)).not.toContain('none');
});

test('a folder with parts of an earlier import is refused and stays as it is', async () => {
  const out = join(folder, 'out');
  const before = await readdir(out);
  await expect(importCheckpoint([join(folder, 'model.safetensors')], out)).rejects.toThrow(
    /backbone\.safetensors, .* of an earlier import, .*give another --out/,
  );
  expect(await readdir(out)).toEqual(before);
});
