import { expect, test } from 'vitest';
import { expectError, seededInteger } from '../../test/support';
import { CheckpointError } from '../errors';
import type { TensorInfo, TensorSource } from '../tensor-source';
import { splitOfficial } from './parts';

/** Names of a tiny ViT, with the shapes that say what it is. */
const vit: ReadonlyMap<string, readonly number[]> = new Map([
  ['cls_token', [1, 1, 8]],
  ['pos_embed', [1, 10, 8]],
  ['patch_embed.proj.weight', [8, 3, 2, 2]],
  ['patch_embed.proj.bias', [8]],
  ['blocks.0.attn.qkv.weight', [24, 8]],
  ['blocks.1.attn.qkv.weight', [24, 8]],
  ['norm.weight', [8]],
  ['norm.bias', [8]],
]);
const head: ReadonlyMap<string, readonly number[]> = new Map([['mlps.0.0.weight', [4, 8]]]);

/** A source whose tensors know the name that they were stored under. */
function sourceOf(shapes: Iterable<readonly [string, readonly number[]]>): TensorSource {
  const infos = [...shapes].map(([name, shape]): TensorInfo => ({ name, shape, dtype: 'u8', byteLength: 1 }));
  const read = async (name: string) => Uint8Array.from(Buffer.from(name));
  return {
    tensors: new Map(infos.map((info) => [info.name, info])),
    metadata: {},
    read,
    readFloat32: async (name) => Float32Array.from(await read(name)),
  };
}

const under = (prefix: string, shapes = vit) => [...shapes].map(([name, shape]) => [prefix + name, shape] as const);
const storedName = async (source: TensorSource, name: string) =>
  Buffer.from((await source.read(name)) as Uint8Array).toString();

const prefixes = [
  '',
  'module.',
  'encoder.',
  'backbone.',
  'model.',
  'vit.',
  'student.backbone.',
  '_orig_mod.',
  'base_encoder.',
  'visual.trunk.',
  'state_dict.model.',
  'state_dict.model._orig_mod.',
  'trainer.model.module.',
  '0.',
  'model.module.encoder.',
];

test.each(prefixes)('the names of a ViT behind %j are found, and said', async (prefix) => {
  const { parts, report } = splitOfficial(sourceOf([...under(prefix), ...under('optimizer.exp_avg.')]));
  expect([...parts.backbone.tensors.keys()]).toEqual([...vit.keys()]);
  expect(await storedName(parts.backbone, 'norm.bias')).toBe(`${prefix}norm.bias`);
  const plain = prefix.replaceAll(/module\.|_orig_mod\.|(?<=^|\.)backbone\.$/g, '');
  expect(report).toMatchObject({
    prefix: plain,
    network: plain.slice(0, -1) || 'plain',
    others: [],
    ignored: vit.size,
  });
});

const pairs: [sections: string[], taken: string, others: string[]][] = [
  [['model.', 'model_ema.'], 'model', ['model_ema']],
  [['model_ema.', 'model.'], 'model', ['model_ema']],
  [['state_dict.', 'state_dict_ema.'], 'state_dict', ['state_dict_ema']],
  [['', 'ema.'], 'plain', ['ema']],
  [['module.', 'module_ema.module.'], 'plain', ['module_ema']],
  [['state_dict.net.', 'state_dict.ema_model.net.'], 'plain', ['ema_model']],
  [['student.module.backbone.', 'teacher.backbone.'], 'teacher', ['student']],
  [['model.student.backbone.', 'model.teacher.backbone.', 'ema.'], 'model.teacher', ['model.student', 'ema']],
];

test.each(pairs)(
  'of %j one is taken, the others are named, and each is chosen by its name',
  async (sections, taken, others) => {
    const source = sourceOf(sections.flatMap((section) => under(section)));
    expect(splitOfficial(source).report).toMatchObject({ network: taken, others });
    for (const name of [taken, ...others]) {
      const { parts, report } = splitOfficial(source, { network: name });
      expect([report.network, report.counts.backbone, report.unexpected]).toEqual([name, vit.size, []]);
      const stored = await storedName(parts.backbone, 'norm.bias');
      expect(report.prefix).toBe(stored.replaceAll(/module\.|(backbone\.)?norm\.bias$/g, ''));
    }
  },
);

test('of several that nothing tells apart none is taken: all are named, and a section chooses', async () => {
  const source = sourceOf([
    ...under('state_dict.module.base_encoder.'),
    ...under('state_dict.module.momentum_encoder.'),
  ]);
  await expectError(() => splitOfficial(source), 'argument', /2 networks, "base_encoder", "momentum_encoder".*choose/);
  expect(splitOfficial(source, { network: 'momentum_encoder' }).report.prefix).toBe('state_dict.momentum_encoder.');
  await expectError(
    () => splitOfficial(source, { network: 'teacher' }),
    'missing-tensor',
    /no network "teacher"; it has "base_/,
  );
  await expectError(() => splitOfficial(source, { network: 'state_dict' }), 'argument', /nothing says which/);
  await expectError(() => splitOfficial(source, { network: '' }), 'missing-tensor', /no network ""/);
});

test('a section that is no whole ViT does not make a choice', () => {
  const source = sourceOf([...under('encoder.'), ['predictor.patch_embed.proj.weight', [8, 3, 2, 2]]]);
  expect(splitOfficial(source).report).toMatchObject({ network: 'encoder', others: [], ignored: 1 });
});

test('a file without a ViT says what its names begin with', async () => {
  const convolution = sourceOf([
    ['layer1.0.conv1.weight', [8, 8, 3, 3]],
    ['fc.weight', [2, 8]],
  ]);
  await expectError(
    () => splitOfficial(convolution),
    'format',
    /neither.*begin with "layer1\.0", "fc\.weight"; the names of DINOv2/,
  );
  for (const name of ['patch_embeddings.projection', 'patch_embeddings', 'patch_embedding']) {
    const hub = sourceOf([[`vision_model.embeddings.${name}.weight`, [8, 3, 2, 2]]]);
    const message = /these are names of Hugging Face, whose meaning stands in the config\.json of the same folder/;
    await expectError(() => splitOfficial(hub), 'format', message);
  }
  await expectError(() => splitOfficial(sourceOf([])), 'format', /no tensors at all/);
  const many = sourceOf(Array.from({ length: 17 }, (_, i) => under(`m${i}.`)).flat());
  await expectError(() => splitOfficial(many), 'format', /holds 17 networks/);
});

/** A prefix of up to three random sections, wrappers among them. */
function randomPrefix(integer: (below: number) => number): string {
  const words = [
    'model',
    'state_dict',
    'encoder',
    'net',
    'backbone',
    'student',
    'teacher',
    'ema',
    'vit',
    'module',
    '_orig_mod',
    '0',
  ];
  return Array.from({ length: integer(4) }, () => `${words[integer(words.length)]}.`).join('');
}

test('whatever sections a file has, each network comes out whole and unmixed, or is refused by the names of all', async () => {
  const integer = seededInteger(11);
  const outcomes = { taken: 0, refused: 0 };
  for (let round = 0; round < 400; round++) {
    const chosen = Array.from({ length: 1 + integer(3) }, () => randomPrefix(integer));
    const withHead = chosen.filter((prefix) => prefix.endsWith('backbone.'));
    const heads = withHead.flatMap((prefix) => under(`${prefix.slice(0, -'backbone.'.length)}dino_head.`, head));
    const source = sourceOf([...chosen.flatMap((prefix) => under(prefix)), ...heads, ...under('optimizer.exp_avg.')]);
    const networks = new Set(chosen.map((prefix) => prefix.replaceAll(/module\.|_orig_mod\./g, '')));
    if (networks.size < new Set(chosen).size) {
      // the same network twice, but for wrappers: two tensors have one name
      if (networks.size === 1) await expectError(() => splitOfficial(source), 'format', /are both/);
      continue;
    }
    const names = namesOf(source);
    expect([chosen, names.length]).toEqual([chosen, networks.size]);
    const seen = new Set<string>();
    for (const network of names) {
      const { parts, report } = splitOfficial(source, { network });
      expect([chosen, report.counts.backbone, report.unexpected]).toEqual([chosen, vit.size, []]);
      const places = await Promise.all(
        [...vit.keys()].map(async (name) => (await storedName(parts.backbone, name)).slice(0, -name.length)),
      );
      expect(new Set(places).size).toBe(1);
      seen.add(places[0]!);
    }
    expect([...seen].sort()).toEqual([...new Set(chosen)].sort());
    outcomes[takenOrRefused(source)]++;
  }
  expect(Math.min(outcomes.taken, outcomes.refused)).toBeGreaterThan(20);
});

/** Names of all networks, from the report or from the refusal. */
function namesOf(source: TensorSource): string[] {
  try {
    const { network, others } = splitOfficial(source).report;
    return [network, ...others];
  } catch (error) {
    const [, listed = ''] = /networks, (.*), and nothing says/.exec((error as CheckpointError).message) ?? [];
    return [...listed.matchAll(/"([^"]*)"/g)].map(([, name]) => name!);
  }
}

function takenOrRefused(source: TensorSource): 'taken' | 'refused' {
  try {
    splitOfficial(source);
    return 'taken';
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError);
    return 'refused';
  }
}
