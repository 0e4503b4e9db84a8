import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectError, pthFixture, temporaryFolder } from '../../test/support';
import type { TensorData } from '../dtype';
import { toFloat32 } from '../dtype';
import { CheckpointError } from '../errors';
import { openPth } from './pth';

/** What torch itself said about its files: `{file: {tensor: {dtype, shape, values}}}`. */
type Expected = Record<string, Record<string, { dtype: string; shape: number[]; values: number[] }>>;
const expected = JSON.parse(readFileSync(pthFixture('expected.json'), 'utf8')) as Expected;

const torchNames: Record<string, string> = {
  f32: 'float32',
  f64: 'float64',
  f16: 'float16',
  bf16: 'bfloat16',
  i64: 'int64',
  i32: 'int32',
  i16: 'int16',
  i8: 'int8',
  u8: 'uint8',
  bool: 'bool',
};

function numbers(dtype: string, data: TensorData): number[] {
  if (dtype === 'f16' || dtype === 'bf16') return [...toFloat32(dtype, data)];
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

const readable = readdirSync(pthFixture('.')).filter((name) => /\.pth$/.test(name) && !name.startsWith('torchscript'));

test.each(readable)('%s: every tensor has the dtype, shape and values that torch saved', async (name) => {
  await using file = await openPth(pthFixture(name));
  expect([...file.tensors.keys()].sort()).toEqual(Object.keys(expected[name]!).sort());
  for (const [tensor, { dtype, shape, values }] of Object.entries(expected[name]!)) {
    const info = file.tensors.get(tensor)!;
    expect([tensor, torchNames[info.dtype], info.shape]).toEqual([tensor, dtype, shape]);
    expect([tensor, ...numbers(info.dtype, await file.read(tensor))]).toEqual([tensor, ...values]);
  }
});

test('values beside the tensors are found under their paths', async () => {
  await using file = await openPth(pthFixture('training.pth'));
  expect(file.values.get('iteration')).toBe(7);
  expect(file.values.get('args.arch')).toBe('vit_base');
  expect(file.values.get('optimizer.param_groups.0.lr')).toBe(0.001);
  expect(file.values.get('optimizer.param_groups.0.betas.1')).toBe(0.999);
  expect(file.values.get('optimizer.param_groups.0.amsgrad')).toBe(false);
});

test('a range of a tensor equals that part of it, also where the tensor is not contiguous', async () => {
  await using file = await openPth(pthFixture('views.pth'));
  for (const name of ['base', 'transposed', 'column', 'every_other', 'expanded']) {
    const whole = await file.read(name);
    for (let start = 0; start <= whole.length; start++) {
      expect(await file.read(name, { start, end: whole.length })).toEqual(whole.slice(start));
    }
  }
});

test('bf16 and f16 are widened on request', async () => {
  await using file = await openPth(pthFixture('dtypes.pth'));
  expect([...(await file.readFloat32('bf16'))]).toEqual(expected['dtypes.pth']!.bf16!.values);
  expect([...(await file.readFloat32('f16'))]).toEqual(expected['dtypes.pth']!.f16!.values);
  expect([...(await file.readFloat32('long_scalar'))]).toEqual([-7]);
});

test('what lies beside the tensors is data, and named', async () => {
  await using file = await openPth(pthFixture('training.pth'));
  expect([...file.inert].sort()).toEqual([
    '_codecs.encode',
    'argparse.Namespace',
    'numpy.core.multiarray.scalar',
    'numpy.dtype',
  ]);
  expect(file.notes).toEqual([expect.stringMatching(/^as data, never run: .*argparse\.Namespace/)]);
  await using company = await openPth(pthFixture('company.pth'));
  const some = ['__builtin__.getattr', '__main__.AttributeDict', 'numpy.ndarray', 'torch.optim.sgd.SGD'];
  expect([...company.inert]).toEqual(expect.arrayContaining(some));
  await using plain = await openPth(pthFixture('module.pth'));
  expect([plain.inert, plain.notes]).toEqual([[], []]);
});

test('the format before PyTorch 1.6, cut short or with a storage of another length, is refused', async () => {
  const bytes = readFileSync(pthFixture('legacy.pth'));
  const path = join(temporaryFolder(), 'cut.pth');
  for (let length = bytes.length - 1; length > 0; length--) {
    writeFileSync(path, bytes.subarray(0, length));
    const error: unknown = await openPth(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    if (length >= bytes.length - 80) expect(error).toMatchObject({ code: 'truncated' });
  }
  const at = bytes.lastIndexOf(Buffer.from([12, 0, 0, 0, 0, 0, 0, 0]));
  bytes[at] = 11;
  writeFileSync(path, bytes);
  await expectError(openPth(path), 'header', /has 11 elements, its tensors say 12/);
});

test('TorchScript is told apart from weights', async () => {
  await expectError(openPth(pthFixture('torchscript.pth')), 'format', /TorchScript/);
});

test('closing twice is harmless, and an unknown tensor is named', async () => {
  const file = await openPth(pthFixture('stored.pth'));
  await expectError(file.read('wieght'), 'missing-tensor', /"wieght"; it has "weight", "bias"/);
  await file.close();
  await file.close();
});
