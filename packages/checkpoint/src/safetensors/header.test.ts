import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectError, safetensorsBytes, temporaryFolder } from '../../test/support';
import { openSafetensors } from './reader';

const folder = temporaryFolder();
const path = join(folder, 'file.safetensors');

/** Opens a file with this header and `bytes` zero bytes of data. */
function openWith(header: unknown, bytes = 8): Promise<unknown> {
  writeFileSync(path, safetensorsBytes(header, new Uint8Array(bytes)));
  return openSafetensors(path);
}

const f32 = (shape: unknown, data_offsets: unknown) => ({ dtype: 'F32', shape, data_offsets });

test('tensors that tile the data in any order are accepted', async () => {
  await using file = await openSafetensorsWith({ b: f32([1], [4, 8]), a: f32([1], [0, 4]), none: f32([0], [4, 4]) });
  expect([...file.tensors.keys()]).toEqual(['b', 'a', 'none']);
});

async function openSafetensorsWith(header: unknown) {
  writeFileSync(path, safetensorsBytes(header, new Uint8Array(8)));
  return openSafetensors(path);
}

const hostile: [what: string, header: unknown, message: RegExp][] = [
  ['text that is no JSON', '{"a": ', /not JSON/],
  ['a list', '[]', /not an object/],
  ['an unknown dtype', { a: { dtype: 'F8_E4M3', shape: [8], data_offsets: [0, 8] } }, /"F8_E4M3"/],
  ['a dtype in the wrong case', { a: { dtype: 'f32', shape: [2], data_offsets: [0, 8] } }, /"f32"/],
  ['an inherited property as dtype', { a: { dtype: 'CONSTRUCTOR', shape: [2], data_offsets: [0, 8] } }, /CONSTRUCTOR/],
  ['a null entry', { a: null }, /dtype undefined/],
  ['a negative extent', { a: f32([-2], [0, 8]) }, /shape \[-2\]/],
  ['a fractional extent', { a: f32([0.5], [0, 2]) }, /shape \[0.5\]/],
  ['a shape that is no list', { a: f32('2', [0, 8]) }, /shape "2"/],
  ['a product beyond exact integers', { a: f32([2 ** 40, 2 ** 40], [0, 8]) }, /8 bytes/],
  ['a shape that disagrees with its bytes', { a: f32([3], [0, 8]) }, /F32 \[3\] but its range has 8 bytes/],
  ['a range that runs backwards', { a: f32([2], [8, 0]) }, /range has -8 bytes/],
  ['three offsets', { a: f32([2], [0, 8, 8]) }, /data_offsets \[0, 8, 8\]/],
  ['tensors that overlap', { a: f32([1], [0, 4]), b: f32([2], [0, 8]) }, /"b" overlaps tensor "a"/],
  ['a hole', { a: f32([1], [4, 8]) }, /4 bytes between the header and "a"/],
  ['data after the last tensor', { a: f32([1], [0, 4]) }, /4 bytes after the last tensor/],
  ['metadata that are no strings', { __metadata__: { n: 1 }, a: f32([2], [0, 8]) }, /__metadata__/],
];

test.each(hostile)('%s is refused', async (_, header, message) => {
  await expectError(openWith(header), 'header', message);
});

test('a header that is no UTF-8 is refused', async () => {
  const bytes = safetensorsBytes('{"?":1}');
  bytes[10] = 0xff;
  writeFileSync(path, bytes);
  await expectError(openSafetensors(path), 'header', /not JSON/);
});

test('a name twice is refused, because the first one leaves a hole', async () => {
  const entry = (begin: number) => `"a":{"dtype":"F32","shape":[1],"data_offsets":[${begin},${begin + 4}]}`;
  await expectError(openWith(`{${entry(0)},${entry(4)}}`), 'header', /4 bytes between/);
});

test('data that end before the last tensor are called cut short', async () => {
  await expectError(openWith({ a: f32([4], [0, 16]) }), 'truncated', /need \d+ bytes, it has \d+/);
});

test('a header nested ten thousand deep is refused like any other', async () => {
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  await expectError(openWith(`{"a":{"dtype":"F32","shape":${deep},"data_offsets":[0,8]}}`), 'header', /object/);
});

test('metadata of more entries than a call takes arguments are read', async () => {
  const entries = Array.from({ length: 200_000 }, (_, i) => [`k${i}`, '']);
  await using file = await openSafetensorsWith({ __metadata__: Object.fromEntries(entries), a: f32([2], [0, 8]) });
  expect(Object.keys(file.metadata).length).toBe(200_000);
});

test('a header length beyond the file, or beyond reason, is refused before anything is read', async () => {
  const claim = (length: bigint, size: number) => {
    const bytes = Buffer.alloc(size, '{');
    bytes.writeBigUInt64LE(length);
    writeFileSync(path, bytes);
    return openSafetensors(path);
  };
  await expectError(claim(2n ** 63n, 100), 'truncated', /9223372036854775808 bytes but has 100/);
  await expectError(claim(93n, 100), 'truncated');
  await expectError(claim(17n * 2n ** 20n, 18 * 2 ** 20), 'too-large', /limit/);
});

test('a file of another kind, an empty one, a folder and a missing one are told apart', async () => {
  writeFileSync(path, 'Not Found: the file that a download page sends instead');
  await expectError(openSafetensors(path), 'format', /is no safetensors file: its 54 bytes begin with "Not Found/);
  writeFileSync(path, '');
  await expectError(openSafetensors(path), 'format', /is empty; download it again/);
  await expectError(openSafetensors(folder), 'format', /not a regular file/);
  await expectError(openSafetensors(join(folder, 'none')), 'not-found', /ENOENT/);
});

test('names in messages are escaped and cut', async () => {
  const name = `\u001b[2J${'x'.repeat(1000)}`;
  const error = await openWith({ [name]: f32([3], [0, 8]) }).catch((thrown: Error) => thrown);
  expect((error as Error).message).toContain('\\u001b[2J');
  expect((error as Error).message.length).toBeLessThan(folder.length + 250);
});
