import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkParity, worstError } from './parity';
import { readSafetensors } from './safetensors';

const folder = mkdtempSync(join(tmpdir(), 'franca-support-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(entries: Record<string, [dtype: string, shape: number[], bytes: ArrayBufferView]>): string {
  const parts = Object.values(entries).map(([, , view]) => Buffer.from(view.buffer, view.byteOffset, view.byteLength));
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { what: 'test' } };
  for (const [name, [dtype, shape, view]] of Object.entries(entries)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + view.byteLength] };
    offset += view.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, 'file.safetensors');
  writeFileSync(path, Buffer.concat([length, json, ...parts]));
  return path;
}

test('every dtype is read at any byte offset', () => {
  const { tensors, metadata } = readSafetensors(
    write({
      flag: ['BOOL', [1], Uint8Array.of(1)],
      half: ['F16', [4], Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00)],
      real: ['F32', [1, 2], Float32Array.of(1.5, -2)],
      int: ['I32', [1], Int32Array.of(-7)],
      long: ['I64', [1], BigInt64Array.of(-(2n ** 40n))],
      scalar: ['U8', [], Uint8Array.of(200)],
    }),
  );
  const values = Object.fromEntries([...tensors].map(([name, { data }]) => [name, [...data]]));
  expect(values).toEqual({
    flag: [1],
    half: [1, -2, 2 ** -24, Number.POSITIVE_INFINITY],
    real: [1.5, -2],
    int: [-7],
    long: [-(2 ** 40)],
    scalar: [200],
  });
  expect(metadata).toEqual({ what: 'test' });
});

test('the worst error is measured in units of the tolerance', () => {
  expect(worstError([1, 2.5, 3], [1, 2, 4], { absolute: 0.5 })).toEqual({ ratio: 2, index: 2 });
  expect(worstError([1, 3], [1, 4], { ofMax: 0.5 })).toEqual({ ratio: 0.5, index: 1 });
  expect(worstError([1, 3], [2, 3], { relative: 0.25 })).toEqual({ ratio: 2, index: 0 });
});

test('NaN, an error where none is allowed, and another length are never within tolerance', () => {
  expect(worstError([Number.NaN], [1], { absolute: 1e9 }).ratio).toBe(Number.POSITIVE_INFINITY);
  expect(worstError([1], [Number.NaN], { absolute: 1e9 }).ratio).toBe(Number.POSITIVE_INFINITY);
  expect(worstError([1 + 1e-9], [1], {}).ratio).toBe(Number.POSITIVE_INFINITY);
  expect(() => checkParity('none', 'y', [1], [1, 2], { absolute: 1 })).toThrow(/1 values, the reference has 2/);
});
