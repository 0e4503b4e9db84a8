import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors, type TensorEntry, writeSafetensors } from '@franca/checkpoint';
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
