import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, largestAllocation, safetensorsBytes } from '../../test/support';
import { safetensorsBytes as encode } from '../safetensors/stream';
import { type BytesOrAddress, openSafetensors, openSharded } from './open';

/** How the server answers: with what it is asked for, or in one of the ways that servers have. */
type Manner = (request: IncomingMessage, response: ServerResponse, file: Uint8Array) => void;

const files = new Map<string, Uint8Array>();
const ranges: string[] = [];
let manner: Manner = honest;

function honest({ headers }: IncomingMessage, response: ServerResponse, file: Uint8Array): void {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')!.map(Number);
  if (first! >= file.length) return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
  const end = Math.min(last!, file.length - 1);
  response.writeHead(206, { 'content-range': `bytes ${first}-${end}/${file.length}`, etag: `"${file.length}"` });
  response.end(file.subarray(first!, end + 1));
}

const server = createServer((request, response) => {
  ranges.push(request.headers.range ?? '');
  const file = files.get(request.url!);
  if (file) manner(request, response, file);
  else response.writeHead(404).end();
});
let base: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

/** Puts bytes on the server, which answers in this way. */
function serve(bytes: Uint8Array, how: Manner = honest, name = '/model.safetensors'): URL {
  manner = how;
  files.set(name, bytes);
  return new URL(name, base);
}

const WAYS: readonly (readonly [string, (bytes: Uint8Array<ArrayBuffer>) => BytesOrAddress])[] = [
  ['bytes in memory', (bytes) => bytes],
  ['a view that begins inside of a buffer', (bytes) => new Uint8Array([1, 2, 3, ...bytes]).subarray(3)],
  ['an ArrayBuffer', (bytes) => bytes.slice().buffer],
  ['a Blob', (bytes) => new Blob([bytes])],
  ['an address', (bytes) => serve(bytes)],
  ['the text of an address', (bytes) => serve(bytes).href],
  ['a server without ranges', (bytes) => serve(bytes, (_, response, file) => void response.end(file))],
];

/** More than the first request takes. */
const large = Float32Array.from({ length: 40_000 }, (_, i) => i);
const entries = [
  { name: 'large', dtype: 'f32', shape: [40_000], data: large },
  { name: 'half', dtype: 'f16', shape: [2, 2], data: Uint16Array.of(0x3c00, 0xc000, 0, 0x7c00) },
  { name: 'none', dtype: 'i64', shape: [0], data: new BigInt64Array(0) },
] as const;

test.each(WAYS)('%s give the same tensors as a file', async (_, from) => {
  await using file = await openSafetensors(from(await encode(entries, { what: 'test' })));
  expect([...file.tensors.keys()].sort()).toEqual(['half', 'large', 'none']);
  expect(file.metadata).toEqual({ what: 'test' });
  expect(await file.readFloat32('large')).toEqual(large);
  expect(await file.read('large', { start: 39_990, end: 40_000 })).toEqual(large.slice(39_990));
  expect(await file.readFloat32('half')).toEqual(Float32Array.of(1, -2, 0, Number.POSITIVE_INFINITY));
  expect(await file.read('none')).toEqual(new BigInt64Array(0));
  await expectError(() => file.read('other'), 'missing-tensor', /no tensor "other"; it has "none"/);
  await file.close();
  await expectError(() => file.read('half'), 'closed', /is closed; read its tensors before that, or open it again/);
});

const f32 = (shape: unknown, data_offsets: unknown) => ({ dtype: 'F32', shape, data_offsets });
const HOSTILE: readonly (readonly [string, header: unknown, message: RegExp])[] = [
  ['text that is no JSON', '{"a": ', /not JSON/],
  ['an unknown dtype', { a: { dtype: 'F8_E4M3', shape: [8], data_offsets: [0, 8] } }, /"F8_E4M3"/],
  ['a product beyond exact integers', { a: f32([2 ** 40, 2 ** 40], [0, 8]) }, /8 bytes/],
  ['a shape that disagrees with its bytes', { a: f32([3], [0, 8]) }, /F32 \[3\] but its range has 8 bytes/],
  ['tensors that overlap', { a: f32([1], [0, 4]), b: f32([2], [0, 8]) }, /"b" overlaps tensor "a"/],
  ['data after the last tensor', { a: f32([1], [0, 4]) }, /4 bytes after the last tensor/],
];

test.each(WAYS)('from %s hostile headers are refused, and forged lengths take no memory', async (_, from) => {
  const open = (bytes: Uint8Array) => openSafetensors(from(new Uint8Array(bytes)));
  for (const [, header, message] of HOSTILE)
    await expectError(open(safetensorsBytes(header, new Uint8Array(8))), 'header', message);
  await expectError(open(safetensorsBytes({ a: f32([4], [0, 16]) }, new Uint8Array(8))), 'truncated', /need \d+ bytes/);
  const claim = (length: bigint) => {
    const bytes = new Uint8Array(100).fill(0x7b);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return open(bytes);
  };
  const most = await largestAllocation(async () => {
    await expectError(claim(2n ** 40n), 'truncated', /declares a header of 1099511627776 bytes but has 100/);
    await expectError(open(safetensorsBytes({ a: f32([2 ** 30], [0, 2 ** 32]) })), 'truncated');
  });
  // what passes through the network apart
  expect(most).toBeLessThan(2 ** 20);
});

test('a header beyond reason is refused before it is read', async () => {
  const bytes = new Uint8Array(18 * 2 ** 20);
  bytes[8] = 0x7b;
  new DataView(bytes.buffer).setBigUint64(0, BigInt(17 * 2 ** 20), true);
  await expectError(openSafetensors(bytes), 'too-large', /the bytes in memory declares a header of 17825792/);
});

test('from an address only what is asked for is sent', async () => {
  const address = serve(await encode(entries));
  ranges.length = 0;
  await using file = await openSafetensors(address);
  await file.read('half');
  const { offset, length } = { offset: 8 + 4 * 30_000, length: 8 };
  await file.read('large', { start: 30_000, end: 30_002 });
  expect(ranges[0]).toBe('bytes=0-65535');
  expect(file.path).toBe(address.href);
  expect(file.notes).toEqual([]);
  const [, first, last] = /bytes=(\d+)-(\d+)/.exec(ranges.at(-1)!)!.map(Number);
  expect(first! - offset).toBeGreaterThan(0);
  expect(last! - first! + 1).toBe(length);
  expect(ranges.length).toBeLessThanOrEqual(3);
});

test('a server without ranges sends the file whole, which is said', async () => {
  const bytes = await encode(entries);
  await using file = await openSafetensors(serve(bytes, (_, response, all) => void response.end(all)));
  expect(file.notes).toEqual([`the server has no ranges, so that all ${bytes.length} bytes were downloaded`]);
});

/** An answer to the first request with this range, whatever is in it. */
const claiming =
  (range: string | undefined, send = (file: Uint8Array) => file.subarray(0, 65_536)): Manner =>
  (_, response, file) =>
    void response.writeHead(206, range === undefined ? {} : { 'content-range': range }).end(send(file));

test.each<[string, Manner, RegExp]>([
  ['does not say which bytes it sends', claiming(undefined), /does not say which bytes it sends \(Content-Range/],
  ['does not know the size', claiming('bytes 0-65535/*'), /sends "bytes 0-65535\/\*" where the first 65536 bytes/],
  ['sends another range', claiming('bytes 5-65540/160200'), /sends "bytes 5-65540/],
  ['answers 403', (_, response) => void response.writeHead(403).end(), /answers 403; give what it asks for/],
  ['answers 500', (_, response) => void response.writeHead(500).end('?'), /answers 500; try again later/],
  ['breaks off', (_, response) => void response.destroy(), /; check the address and the connection/],
])('a server that %s is refused with the way out', async (_, how, message) => {
  await expectError(openSafetensors(serve(await encode(entries), how)), 'inaccessible', message);
});

test('a server that claims a wrong size takes no memory for it', async () => {
  const tera = 2 ** 40;
  const bytes = await encode(entries);
  const most = await largestAllocation(async () => {
    // less than it says, more than it says, a size that the header contradicts
    await expectError(
      openSafetensors(serve(bytes.slice(0, 500), claiming(`bytes 0-65535/${tera}`))),
      'truncated',
      /500/,
    );
    const endless = claiming('bytes 0-99/100', () => bytes);
    await expectError(openSafetensors(serve(bytes, endless)), 'truncated', /sends more where 100 bytes/);
    await expectError(openSafetensors(serve(bytes, claiming(`bytes 0-65535/${tera}`))), 'header', /after the last/);
  });
  expect(most).toBeLessThan(2 ** 20);
});

test('a file that changes on the server while it is open is refused, and one that is gone', async () => {
  const bytes = await encode(entries);
  const address = serve(bytes);
  await using file = await openSafetensors(address);
  serve(new Uint8Array(bytes.length + 1));
  await expectError(() => file.read('large'), 'inaccessible', /another file on the server now; open it again/);
  serve(bytes, (_, response, all) => void response.end(all));
  await expectError(() => file.read('large'), 'inaccessible', /no longer answers with ranges/);
  files.clear();
  await expectError(() => file.read('large'), 'not-found', /answers 404; check the address/);
});

test('an empty file, a web page, a .pth and an index are called what they are', async () => {
  const text = (of: string) => new TextEncoder().encode(of);
  await expectError(openSafetensors(serve(new Uint8Array(0))), 'truncated', /answers 416; the file is empty/);
  await expectError(openSafetensors(new Blob([])), 'format', /the Blob is empty/);
  await expectError(openSafetensors(serve(text('<!doctype html><title>Log in'))), 'format', /is a web page/);
  await expectError(openSafetensors(text('PK\x03\x04 and more')), 'format', /torch\.save; openCheckpoint of/);
  await expectError(openSafetensors(text('{"weight_map": {}}')), 'format', /is JSON; openSharded reads the index/);
});

test('requests carry headers, and end with their signal', async () => {
  const bytes = await encode(entries);
  let seen: string | undefined;
  const address = serve(bytes, (request, response, file) => {
    seen = request.headers.authorization;
    honest(request, response, file);
  });
  await openSafetensors(address, { request: { headers: { authorization: 'Bearer x' } } });
  expect(seen).toBe('Bearer x');
  const aborted = openSafetensors(address, { request: { signal: AbortSignal.abort(new Error('enough')) } });
  await expect(aborted).rejects.toThrow('enough');
});

test('a model in several files is read by its index, from an address or with a function that opens its files', async () => {
  const shards = await Promise.all(
    entries.map(async (entry) => [`${entry.name}.safetensors`, await encode([entry])] as const),
  );
  const map = Object.fromEntries(entries.map(({ name }) => [name, `${name}.safetensors`]));
  const index = new TextEncoder().encode(JSON.stringify({ weight_map: map }));
  for (const [name, bytes] of shards) serve(bytes, honest, `/model/${name}`);
  await using remote = await openSharded(serve(index, honest, '/model/model.safetensors.index.json'));
  expect(await remote.readFloat32('large')).toEqual(large);
  const open = (fileName: string) => openSafetensors(new Map<string, Uint8Array<ArrayBuffer>>(shards).get(fileName)!);
  await using local = await openSharded(index, open);
  expect((await local.readFloat32('half'))[1]).toBe(-2);
  await expectError(openSharded(index), 'argument', /nothing beside it; say how large\.safetensors is opened/);
});

test('what is no bytes and no address is refused with the way out', async () => {
  const open = (given: unknown, options?: object) => openSafetensors(given as Blob, options);
  await expectError(open('weights.safetensors'), 'argument', /no address; openCheckpoint of @franca\/checkpoint takes/);
  await expectError(open('file:///a.safetensors'), 'argument', /addresses of file: cannot be fetched/);
  await expectError(open(undefined), 'argument', /takes an ArrayBuffer, .*; undefined was given/);
  await expectError(open(Promise.resolve()), 'argument', /a promise \(await it\)/);
  await expectError(open(new Response('')), 'argument', /await response\.blob\(\)/);
  await expectError(open(new Blob([]), { headers: {} }), 'options', /no "headers"; it has name, request/);
});
