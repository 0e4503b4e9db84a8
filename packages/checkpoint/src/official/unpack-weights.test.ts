import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { expectError, seededInteger, temporaryFolder } from '../../test/support';
import { openCheckpoint } from '../open-checkpoint';
import { unpackWeights } from './unpack-weights';

const integer = seededInteger(1);
/** Like real weights, these do not compress. */
const weights = Uint8Array.from({ length: 20_000 }, () => integer(256));

async function tarGz(files: Record<string, Uint8Array>): Promise<Buffer> {
  const archive = pack();
  for (const [name, body] of Object.entries(files)) archive.entry({ name }, Buffer.from(body));
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return gzipSync(Buffer.concat(chunks));
}

/** Writes bytes as `model.tar.gz.part_aa`, `_ab`, ... of this size, and returns the paths. */
function writeParts(folder: string, bytes: Uint8Array, size: number): string[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => {
    const path = join(folder, `model.tar.gz.part_a${'abcdefgh'[i]}`);
    writeFileSync(path, bytes.subarray(i * size, (i + 1) * size));
    return path;
  });
}

test('the parts of an archive are unpacked, given all or the first', async () => {
  const folder = temporaryFolder();
  const archive = await tarGz({ 'weights/readme.txt': Buffer.from('?'), 'weights/franca.pth': weights });
  const parts = writeParts(folder, archive, 5000);
  expect(parts.length).toBeGreaterThan(2);
  for (const given of [parts, parts[0]!]) {
    const out = temporaryFolder();
    expect(await unpackWeights(given, out)).toEqual([join(out, 'franca.pth')]);
    expect(readFileSync(join(out, 'franca.pth')).equals(weights)).toBe(true);
    expect(readdirSync(out)).toEqual(['franca.pth']);
  }
});

test('a missing, a swapped and a cut part are refused and leave nothing', async () => {
  const folder = temporaryFolder();
  const [a, b, ...rest] = writeParts(folder, await tarGz({ 'franca.pth': weights }), 5000);
  const out = temporaryFolder();
  for (const parts of [
    [a!, b!],
    [b!, a!, ...rest],
    [a!, ...rest],
  ]) {
    await expectError(unpackWeights(parts, out), 'truncated', /is a part missing or out of order\?/);
  }
  expect(readdirSync(out)).toEqual([]);
  await expectError(unpackWeights([a!, join(folder, 'none')], out), 'not-found', /none/);
});

test('an archive never writes outside the folder', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'evil.tar.gz');
  writeFileSync(path, await tarGz({ '../../evil.pth': weights, '..\\evil2.pth': weights, '/etc/..pth': weights }));
  const out = join(temporaryFolder());
  expect((await unpackWeights(path, out)).map((file) => file.slice(out.length + 1))).toEqual(['evil.pth', 'evil2.pth']);
});

test('a bomb is refused before it is written', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'bomb.tar.gz');
  writeFileSync(path, await tarGz({ 'bomb.pth': new Uint8Array(1_000_000) }));
  await expectError(unpackWeights(path, folder), 'too-large', /claims 1000000 bytes for "bomb.pth"/);
  expect(readdirSync(folder)).toEqual(['bomb.tar.gz']);
});

test('an archive without weights, and opening an archive as weights, are explained', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'other.tar.gz');
  writeFileSync(path, await tarGz({ 'readme.txt': Buffer.from('?') }));
  await expectError(unpackWeights(path, folder), 'not-found', /no .pth, .pt, .ckpt, .bin or .safetensors/);
  await expectError(openCheckpoint(path), 'format', /is an archive .*; unpack it first: unpackWeights\(path, folder\)/);
});
