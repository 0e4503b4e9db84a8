import { expect, test } from 'vitest';
import { expectError, pthFixture } from '../../test/support';
import { renameTensors, type TensorSource } from '../tensor-source';
import { openPth } from '../torch/pth';
import { chunkBlockName } from './block-names';
import { splitOfficial } from './parts';

const open = (name: string) => openPth(pthFixture(name));

/** A source under changed names; names that become undefined are left out. */
function renamed(source: TensorSource, change: (name: string) => string | undefined): TensorSource {
  const pairs = [...source.tensors.keys()].map((name) => [change(name), name] as const);
  return renameTensors(source, new Map(pairs.filter((pair): pair is [string, string] => pair[0] !== undefined)));
}

const backbone = { depth: 4, embedDim: 8, patchSize: 2, grid: 3, registers: 0, ffn: 'swiglu', blockChunks: 2 };

test('a teacher file is split into backbone and heads under the official names', async () => {
  await using file = await open('teacher.pth');
  const { parts, report } = splitOfficial(file);
  expect(report).toEqual({
    prefix: 'teacher.',
    network: 'teacher',
    others: [],
    counts: { backbone: 4 * 14 + 7, dino_head: 30, ibot_head: 30, rasa_head: 0 },
    ignored: 0,
    unexpected: [],
    backbone,
  });
  expect(parts.backbone.tensors.get('blocks.2.attn.qkv.weight')!.shape).toEqual([24, 8]);
  expect(parts.dino_head.tensors.get('last_layers.0.weight_g')!.shape).toEqual([3, 1]);
  const same = await file.read('teacher.backbone.blocks.1.2.attn.qkv.weight');
  expect(await parts.backbone.read('blocks.2.attn.qkv.weight')).toEqual(same);
  expect(await parts.ibot_head.read('mlps.1.0.bias')).toEqual(await file.read('teacher.ibot_head.mlps.1.0.bias'));
});

test('a bare flat file is the backbone', async () => {
  await using file = await open('flat.pth');
  const { report } = splitOfficial(file);
  expect(report).toMatchObject({ prefix: '', backbone: { ...backbone, blockChunks: 0 } });
});

test('wrappers of distributed training disappear from the names', async () => {
  await using wrapped = await open('fsdp.pth');
  await using plain = await open('teacher.pth');
  const names = (source: TensorSource) => [...splitOfficial(source).parts.backbone.tensors.keys()];
  expect(names(wrapped)).toEqual(names(plain));
  expect(splitOfficial(wrapped).report.backbone).toEqual(backbone);
});

test('a training checkpoint gives its teacher, or on request its student', async () => {
  await using file = await open('training.pth');
  const teacher = splitOfficial(file);
  const student = splitOfficial(file, { network: 'student' });
  expect(teacher.report).toMatchObject({ prefix: 'model.teacher.', ignored: 123 + 9 });
  expect(student.report).toMatchObject({ prefix: 'model.student.', counts: teacher.report.counts });
  expect(await student.parts.backbone.read('cls_token')).toEqual(await file.read('model.student.backbone.cls_token'));
});

test('asking for a network that is not there is refused', async () => {
  await using file = await open('flat.pth');
  await expectError(
    () => splitOfficial(file, { network: 'student' }),
    'missing-tensor',
    /no network "student"; it has "plain"/,
  );
});

test('a RASA head is found in its own file and inside a teacher', async () => {
  await using alone = await open('rasa.pth');
  await using inside = await open('teacher-with-rasa.pth');
  expect(splitOfficial(alone).report).toMatchObject({ rasaLayers: 3, counts: { backbone: 0, rasa_head: 4 } });
  expect(splitOfficial(alone).report.backbone).toBeUndefined();
  expect(splitOfficial(inside).report).toMatchObject({ rasaLayers: 2, backbone });
  const names = ['pre_pos_layers.0.weight', 'pre_pos_layers.1.weight', 'pos_pred.weight'];
  expect([...splitOfficial(inside).parts.rasa_head.tensors.keys()]).toEqual(names);
});

test('a RASA head with a gap, or without its last layer, is refused', async () => {
  await using file = await open('rasa.pth');
  const without = (part: string) => renamed(file, (name) => (name.includes(part) ? undefined : name));
  await expectError(() => splitOfficial(without('layers.1')), 'missing-tensor', /"pre_pos_layers.1.weight"/);
  await expectError(() => splitOfficial(without('pos_pred')), 'missing-tensor', /"pos_pred.weight"/);
});

test('chunking the names again gives the same result', async () => {
  await using flat = await open('flat.pth');
  const chunked = splitOfficial(renamed(flat, (name) => chunkBlockName(name, 4, 4)));
  expect(chunked.report.backbone).toEqual({ ...backbone, blockChunks: 4 });
  expect([...chunked.parts.backbone.tensors.keys()]).toEqual([...flat.tensors.keys()]);
});

test('a backbone that lacks tensors is refused by their names', async () => {
  await using file = await open('flat.pth');
  const without = (pattern: RegExp) => renamed(file, (name) => (pattern.test(name) ? undefined : name));
  await expectError(
    () => splitOfficial(without(/^blocks\.2\.ls1/)),
    'missing-tensor',
    /lacks "blocks\.2\.ls1\.gamma";/,
  );
  await expectError(() => splitOfficial(without(/^blocks\.1\./)), 'missing-tensor', /"blocks\.1\.\*"/);
  await expectError(
    () => splitOfficial(without(/^(norm|cls)/)),
    'missing-tensor',
    /"cls_token", "norm.weight", "norm.bias"/,
  );
  await expectError(() => splitOfficial(without(/./)), 'format', /neither a backbone nor a RASA head/);
});

test('a forged file that lacks more than can be named is refused at once', async () => {
  await using file = await open('flat.pth');
  const [first] = file.tensors.values();
  const names = ['cls_token', 'blocks.1.a', ...Array.from({ length: 200_000 }, (_, i) => `blocks.0.t${i}`)];
  const forged = { ...file, tensors: new Map(names.map((name) => [name, { ...first!, name }])) };
  await expectError(() => splitOfficial(forged), 'missing-tensor', /and \d{6} more/);
});

test('names that the official model does not have are reported', async () => {
  await using file = await open('flat.pth');
  const { report } = splitOfficial(renamed(file, (name) => (name === 'mask_token' ? 'head.weight' : name)));
  expect(report.unexpected).toEqual(['head.weight']);
});

test('two tensors for one name are refused', async () => {
  await using file = await open('flat.pth');
  const source = renamed(file, (name) => (name === 'norm.bias' ? 'module.norm.weight' : name));
  await expectError(() => splitOfficial(source), 'format', /"norm.weight" and "module.norm.weight"/);
});

test('a position table that is no square grid is refused', async () => {
  await using file = await open('flat.pth');
  const source = renamed(file, (name) => ({ pos_embed: 'norm.bias', 'norm.bias': 'pos_embed' })[name] ?? name);
  await expectError(() => splitOfficial(source), 'format', /pos_embed has the shape \[8\]/);
});

test('a shard of FSDP is explained', async () => {
  await using file = await open('flat.pth');
  const source = renamed(file, (name) => (name === 'norm.bias' ? 'blocks.0._flat_param' : name));
  await expectError(() => splitOfficial(source), 'format', /FSDP.*FullStateDictConfig/);
});
