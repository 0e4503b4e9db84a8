import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CheckpointError, openCheckpoint, splitOfficial, writeSafetensors } from '../src/index';
import { largestAllocation, pthFixture, seededInteger, temporaryFolder } from './support';

/*
 * Files with random damage either still open or are refused with a CheckpointError: nothing crashes, hangs, or takes more
 * memory than the file justifies. f16 or u8 read as f32 is 4 times the file; a deflated entry may be 8 times the file.
 */
const LARGEST_PER_FILE_BYTE = 4 * 8;
/** Buffers of fixed size, whatever the file says: the table of halves, the tail of a zip, Node's pool and inflate chunks. */
const FIXED = 2 ** 18;
const ROUNDS = 400;

const folder = temporaryFolder();
const path = join(folder, 'damaged');

function damage(original: Uint8Array, integer: (below: number) => number): Uint8Array {
  const bytes = Uint8Array.from(original);
  const kind = integer(4);
  if (kind === 0) return bytes.slice(0, integer(bytes.length));
  if (kind === 1) {
    // A length field that claims the impossible.
    const at = integer(Math.max(1, bytes.length - 8));
    bytes.fill([0xff, 0x7f, 0x00][integer(3)]!, at, at + 1 + integer(8));
    return bytes;
  }
  const flips = 1 + integer(kind === 2 ? 1 : 20);
  for (let i = 0; i < flips; i++) bytes[integer(bytes.length)]! ^= 1 << integer(8);
  return bytes;
}

async function readEverything(): Promise<void> {
  const file = await openCheckpoint(path);
  try {
    for (const name of file.tensors.keys()) await file.readFloat32(name);
    splitOfficial(file);
  } finally {
    await file.close();
  }
}

async function survives(original: Uint8Array, seed: number): Promise<{ refused: number }> {
  const integer = seededInteger(seed);
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = damage(original, integer);
    writeFileSync(path, bytes);
    const largest = await largestAllocation(async () => {
      await readEverything().catch((error: unknown) => {
        if (!(error instanceof CheckpointError)) throw new Error(`round ${round} of seed ${seed}`, { cause: error });
        refused++;
      });
    });
    expect(largest).toBeLessThanOrEqual(LARGEST_PER_FILE_BYTE * bytes.length + FIXED);
  }
  return { refused };
}

test('a damaged safetensors file', async () => {
  const data = Float32Array.from({ length: 64 }, (_, i) => i);
  await writeSafetensors(path, [
    { name: 'a', dtype: 'f32', shape: [8, 8], data },
    { name: 'b', dtype: 'u8', shape: [16], data: new Uint8Array(16) },
    { name: 'c', dtype: 'f16', shape: [2, 2, 2], data: new Uint16Array(8) },
  ]);
  expect((await survives(readFileSync(path), 1)).refused).toBeGreaterThan(ROUNDS / 4);
});

test.each(['dtypes.pth', 'deflated.pth', 'rasa.pth', 'views.pth', 'legacy.pth'])('a damaged %s', async (name) => {
  expect((await survives(readFileSync(pthFixture(name)), 2)).refused).toBeGreaterThan(ROUNDS / 4);
});

test('a damaged pickle with a directory and checksum that match it', async () => {
  const original = readFileSync(pthFixture('stored.pth'));
  const start = original.indexOf(Buffer.from([0x80, 0x02, 0x7d]));
  const integer = seededInteger(3);
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = Buffer.from(original);
    for (let i = 0; i <= integer(4); i++) bytes[start + integer(150)]! ^= 1 << integer(8);
    // A checksum of 0 means that the writer did not compute it.
    const header = Buffer.from([0x50, 0x4b, 1, 2]);
    for (let at = bytes.indexOf(header); at >= 0; at = bytes.indexOf(header, at + 4)) bytes.writeUInt32LE(0, at + 16);
    writeFileSync(path, bytes);
    const largest = await largestAllocation(async () => {
      await readEverything().catch((error: unknown) => {
        expect(error).toBeInstanceOf(CheckpointError);
        refused++;
      });
    });
    expect(largest).toBeLessThanOrEqual(LARGEST_PER_FILE_BYTE * bytes.length + FIXED);
  }
  expect(refused).toBeGreaterThan(ROUNDS / 4);
});
