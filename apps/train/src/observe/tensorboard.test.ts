import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crc32c, openEvents, tfRecord } from './tensorboard';

test('CRC-32C of the check string', () => {
  expect(crc32c(new TextEncoder().encode('123456789')).toString(16)).toBe('e3069283');
});

test('a record frames its payload with checksums', () => {
  const record = tfRecord(Uint8Array.of(1, 2, 3));
  expect(record).toHaveLength(19);
  expect(Array.from(record.subarray(0, 8))).toEqual([3, 0, 0, 0, 0, 0, 0, 0]);
  expect(Array.from(record.subarray(12, 15))).toEqual([1, 2, 3]);
});

/** Records of an event file, as payloads; throws if a length runs past the end. */
function payloads(bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset + at).getBigUint64(0, true));
    out.push(bytes.subarray(at + 12, at + 12 + length));
    at += length + 16;
  }
  return out;
}

test('an event file holds the version, then scalars and pictures with their step', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'events-'));
  try {
    const events = await openEvents(folder);
    await events.scalars(300, { loss: 1.5 });
    await events.picture(301, 'crops', { png: Uint8Array.of(9, 8, 7), width: 2, height: 1 });
    await events[Symbol.asyncDispose]();
    const [name] = await readdir(folder);
    const [version, scalar, picture] = payloads(new Uint8Array(await readFile(join(folder, name!))));
    expect(new TextDecoder().decode(version!)).toContain('brain.Event:2');
    // step 300 as a varint in field 2; tag "loss" in field 1 and f32 1.5 in field 2 of a value
    expect(Array.from(scalar!.subarray(9, 12))).toEqual([16, 0xac, 0x02]);
    expect(Buffer.from(scalar!).includes(Buffer.from([10, 4, ...Buffer.from('loss'), 21, 0, 0, 0xc0, 0x3f]))).toBe(
      true,
    );
    expect(Buffer.from(picture!).includes(Buffer.from([8, 1, 16, 2, 24, 3, 34, 3, 9, 8, 7]))).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});
