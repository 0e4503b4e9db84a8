import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../../../test/support/safetensors';
import { sharedData } from '../../../../test/support/shared';
import { expectError, temporaryFolder } from '../../test/support';
import { entriesOf, type TensorEntry } from '../tensor-source';
import { openSafetensors } from './reader';
import { writeSafetensors } from './writer';

const folder = temporaryFolder();
const path = join(folder, 'file.safetensors');

const everyDtype: TensorEntry[] = [
  { name: 'bool', dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) },
  { name: 'u8', dtype: 'u8', shape: [1], data: Uint8Array.of(255) },
  { name: 'i8', dtype: 'i8', shape: [2], data: Int8Array.of(-1, 7) },
  { name: 'f16', dtype: 'f16', shape: [1, 1], data: Uint16Array.of(0x3c00) },
  { name: 'bf16', dtype: 'bf16', shape: [1], data: Uint16Array.of(0x3f80) },
  { name: 'i16', dtype: 'i16', shape: [1], data: Int16Array.of(-2) },
  { name: 'u32', dtype: 'u32', shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
  { name: 'i32', dtype: 'i32', shape: [1], data: Int32Array.of(-3) },
  { name: 'f32', dtype: 'f32', shape: [2, 3], data: Float32Array.of(0, -1.5, 3, 0.1, 1e30, -0) },
  { name: 'scalar', dtype: 'f32', shape: [], data: Float32Array.of(2.5) },
  { name: 'empty', dtype: 'f32', shape: [0, 3], data: new Float32Array(0) },
  { name: 'i64', dtype: 'i64', shape: [2], data: BigInt64Array.of(-(2n ** 62n), 5n) },
  { name: 'u64', dtype: 'u64', shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
  { name: 'f64', dtype: 'f64', shape: [1], data: Float64Array.of(0.1) },
];

test('every dtype and shape comes back as it was written', async () => {
  await writeSafetensors(path, everyDtype, { what: 'test', ключ: 'значение' });
  await using file = await openSafetensors(path);
  expect(file.metadata).toEqual({ what: 'test', ключ: 'значение' });
  for (const { name, dtype, shape, data } of everyDtype) {
    expect(file.tensors.get(name)).toMatchObject({ name, dtype, shape });
    expect(await file.read(name)).toEqual(data);
  }
});

test('an independent reader agrees', async () => {
  const known = everyDtype.filter(({ dtype }) => ['f16', 'f32', 'i32', 'u8', 'bool'].includes(dtype));
  await writeSafetensors(path, known);
  const { tensors } = readSafetensors(path);
  expect([...tensors.keys()].sort()).toEqual(known.map(({ name }) => name).sort());
  await using file = await openSafetensors(path);
  for (const [name, { data }] of tensors)
    expect([...(await file.readFloat32(name))]).toEqual([...data].map(Math.fround));
});

test('every tensor is aligned to its element', async () => {
  await writeSafetensors(path, everyDtype);
  const bytes = readFileSync(path);
  const headerLength = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<string, { data_offsets: number[] }>;
  for (const { name, data } of everyDtype) {
    const width = (data as Uint8Array).BYTES_PER_ELEMENT;
    expect((8 + headerLength + header[name]!.data_offsets[0]!) % width).toBe(0);
  }
});

test('ranges of elements are read alone', async () => {
  await writeSafetensors(path, everyDtype);
  await using file = await openSafetensors(path);
  expect([...(await file.read('f32', { start: 1, end: 3 }))]).toEqual([-1.5, 3]);
  expect([...(await file.read('i64', { start: 1, end: 2 }))]).toEqual([5n]);
  expect(await file.read('f32', { start: 6, end: 6 })).toHaveLength(0);
  await expectError(file.read('f32', { start: 5, end: 7 }), 'argument', /\[5, 7\) is not within the 6 elements/);
  await expectError(file.read('f32', { start: -1, end: 2 }), 'argument');
  await expectError(file.read('nope'), 'missing-tensor', /no tensor "nope"; it has .*\(14 in all\)/);
});

test('data are asked for one tensor at a time, and may come in pieces', async () => {
  const events: string[] = [];
  const big = Float32Array.from({ length: 4096 }, (_, i) => i);
  const source = (name: string): TensorEntry => ({
    name,
    dtype: 'f32',
    shape: [4096],
    data: async function* () {
      events.push(`${name} begins`);
      for (let at = 0; at < 4096; at += 1000) yield big.subarray(at, at + 1000);
      events.push(`${name} ends`);
    },
  });
  const later: TensorEntry = { name: 'c', dtype: 'f32', shape: [1], data: async () => Float32Array.of(9) };
  await writeSafetensors(path, [source('a'), source('b'), later]);
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  await using file = await openSafetensors(path);
  expect(await file.read('b')).toEqual(big);
  expect([...(await file.read('c'))]).toEqual([9]);
});

test('the result carries the size and the SHA-256 of the file', async () => {
  const written = await writeSafetensors(path, everyDtype);
  const bytes = readFileSync(path);
  expect(written).toEqual({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
});

const refused: [what: string, entries: TensorEntry[], message: RegExp][] = [
  ['a reserved name', [{ ...everyDtype[0]!, name: '__metadata__' }], /reserved/],
  ['a name twice', [everyDtype[0]!, everyDtype[0]!], /twice/],
  ['an unknown dtype', [{ ...everyDtype[0]!, dtype: 'f8' as never }], /f8/],
  ['a fractional shape', [{ ...everyDtype[0]!, shape: [1.5] }], /\[1.5\]/],
  ['too few data', [{ ...everyDtype[0]!, shape: [4] }], /needs 4 bytes; its data has 3/],
  ['too many data', [{ ...everyDtype[0]!, shape: [2] }], /needs 2 bytes; its data has more/],
];

test.each(refused)('%s is refused, and the file that was there stays', async (_, entries, message) => {
  writeFileSync(path, 'old');
  await expectError(writeSafetensors(path, entries), 'argument', message);
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['file.safetensors']);
});

test('a source that fails halfway leaves the file that was there, and nothing else', async () => {
  writeFileSync(path, 'old');
  const lost: TensorEntry = {
    name: 'b',
    dtype: 'f32',
    shape: [1],
    data: () => Promise.reject(new Error('device lost')),
  };
  await expect(writeSafetensors(path, [everyDtype[8]!, lost])).rejects.toThrow('device lost');
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['file.safetensors']);
});

test('copying a file tensor by tensor gives the same file', async () => {
  await writeSafetensors(path, everyDtype);
  await using file = await openSafetensors(path);
  const copy = await writeSafetensors(join(folder, 'copy.safetensors'), entriesOf(file));
  const again = await writeSafetensors(path, everyDtype);
  expect(copy).toEqual(again);
});

const sameBytes = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

const published = sharedData('deit-tiny/deit_tiny_patch16_224.safetensors');
test.skipIf(!published)('a file of the Python library is read (needs shared/data/deit-tiny)', async () => {
  await using file = await openSafetensors(published!);
  const { tensors } = readSafetensors(published!);
  expect(file.tensors.size).toBe(tensors.size);
  for (const [name, { data }] of tensors) expect(sameBytes(await file.readFloat32(name), data)).toBe(true);
});
