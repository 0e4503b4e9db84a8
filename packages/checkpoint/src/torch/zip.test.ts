import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { expectError, pthFixture, temporaryFolder } from '../../test/support';
import { openRandomAccess } from '../random-access';
import { openZip } from './zip';

const path = join(temporaryFolder(), 'file.zip');

interface Entry {
  name: string;
  body: Uint8Array;
  size?: number;
  method?: number;
  flags?: number;
  offset?: number;
  crc?: number;
}

/** A zip archive of these entries, honest unless a field is given. */
function zipOf(...entries: Entry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, body, size = body.length, method = 0, flags = 0, offset = at, crc = crc32(body) } of entries) {
    const header = Buffer.alloc(46);
    header.writeUInt32LE(0x02014b50);
    header.writeUInt16LE(flags, 8);
    header.writeUInt16LE(method, 10);
    header.writeUInt32LE(crc, 16);
    header.writeUInt32LE(body.length, 20);
    header.writeUInt32LE(size, 24);
    header.writeUInt16LE(name.length, 28);
    header.writeUInt32LE(offset, 42);
    directory.push(header, Buffer.from(name));
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(name.length, 26);
    parts.push(local, Buffer.from(name), Buffer.from(body));
    at += 30 + name.length + body.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, central, end]);
}

async function open(bytes: Uint8Array) {
  writeFileSync(path, bytes);
  return openZip(await openRandomAccess(path));
}

const text = (value: string) => new TextEncoder().encode(value);

test('stored and deflated entries are read whole and in part', async () => {
  const body = text('nested matryoshka clustering '.repeat(9));
  const deflated = { name: 'b', body: deflateRawSync(body), size: body.length, method: 8, crc: crc32(body) };
  const zip = await open(zipOf({ name: 'a', body }, deflated));
  for (const entry of zip.entries.values()) {
    expect(await zip.read(entry)).toEqual(body);
    expect(await zip.read(entry, 7, 10)).toEqual(body.slice(7, 17));
    await expectError(zip.read(entry, 255, 10), 'header', /lie outside/);
  }
});

test('a comment after the directory, even one that looks like an end record, does not mislead', async () => {
  const bytes = zipOf({ name: 'a', body: text('x') });
  const comment = Buffer.concat([Buffer.from([0x50, 0x4b, 5, 6]), Buffer.alloc(40)]);
  bytes.writeUInt16LE(comment.length, bytes.length - 2);
  const zip = await open(Buffer.concat([bytes, comment]));
  expect([...zip.entries.keys()]).toEqual(['a']);
});

test('the zip64 records of torch are followed', async () => {
  const bytes = readFileSync(pthFixture('stored.pth'));
  expect(bytes.includes(Buffer.from([0x50, 0x4b, 6, 6]))).toBe(true);
  const zip = await open(bytes);
  expect([...zip.entries.keys()]).toContain('stored/data.pkl');
});

test('a changed byte is found by the checksum', async () => {
  const bytes = zipOf({ name: 'a', body: text('abc') });
  bytes[31]! ^= 1;
  const zip = await open(bytes);
  await expectError(zip.read(zip.entries.get('a')!), 'corrupt', /checksum of "a"/);
});

test('a zip bomb is refused by its claim, and one that lies about its size while it inflates', async () => {
  const body = deflateRawSync(new Uint8Array(10_000_000));
  const bomb = { name: 'bomb', body, method: 8 };
  await expectError(open(zipOf({ ...bomb, size: 10_000_000 })), 'too-large', /claims to inflate to 10000000 bytes/);
  const zip = await open(zipOf({ ...bomb, size: 1000 }));
  await expectError(zip.read(zip.entries.get('bomb')!), 'header', /does not inflate to its 1000 bytes/);
});

const a = { name: 'a', body: text('abcdef') };
const hostile: [what: string, bytes: Uint8Array, code: 'header' | 'format' | 'truncated', message: RegExp][] = [
  ['an entry outside the file', zipOf({ ...a, offset: 1e9 }), 'header', /outside the file/],
  ['entries that overlap', zipOf(a, { ...a, name: 'b', offset: 3 }), 'header', /overlaps/],
  ['two entries of one name', zipOf(a, a), 'header', /two entries named "a"/],
  ['a stored entry with two sizes', zipOf({ ...a, size: 7 }), 'header', /two sizes/],
  ['an encrypted entry', zipOf({ ...a, flags: 1 }), 'format', /encrypted/],
  ['an unknown compression', zipOf({ ...a, method: 14 }), 'format', /method 14/],
  ['a file without a directory', zipOf(a).subarray(0, 40), 'truncated', /no zip directory/],
  ['an empty file', new Uint8Array(0), 'truncated', /no zip directory/],
];

test.each(hostile)('%s is refused', async (_, bytes, code, message) => {
  await expectError(open(bytes), code, message);
});
