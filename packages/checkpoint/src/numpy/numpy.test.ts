/** Arrays that NumPy wrote (`fixtures/npz/make.py`), files that NumPy would not write, and what is written read back. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { expectError, largestAllocation, seededInteger, temporaryFolder } from '../../test/support';
import { CheckpointError } from '../errors';
import { openNpy, openNpz } from './npy';
import { encodeNpyHeader } from './npy-header';
import { writeNpy, writeNpz } from './write-npy';
import { zipStream } from './zip-stream';

const folder = temporaryFolder();
const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/npz/${name}`, import.meta.url));
const CLS = [0.5, -1, 2, 3, 4.25, -5];

describe('what NumPy wrote', () => {
  test.each(['plain.npz', 'compressed.npz'])('%s', async (name) => {
    await using file = await openNpz(fixture(name));
    expect([...file.tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['cls', 'f32', [2, 3]],
      ['labels', 'i64', [2]],
    ]);
    expect([...(await file.readFloat32('cls'))]).toEqual(CLS);
    expect([...(await file.readFloat32('cls', { start: 3, end: 5 }))]).toEqual([3, 4.25]);
    expect(await file.read('labels')).toEqual(BigInt64Array.of(7n, -1n));
    expect([...file.texts]).toEqual([
      ['images', [2]],
      ['model', []],
    ]);
    expect(await file.readTexts('images')).toEqual(['a/1.jpg', 'ü/2.jpg']);
    expect(await file.readTexts('model')).toEqual(['a model']);
    await expectError(file.readTexts('cls'), 'missing-tensor', /no array of texts "cls"; it has "images", "model"/);
    await expectError(file.read('cls', { start: 0, end: 7 }), 'argument', /not within the 6 elements/);
  });

  test('every type and order; objects are told and never read', async () => {
    await using file = await openNpz(fixture('types.npz'));
    for (const name of ['f16', 'f64', 'big']) expect([...(await file.readFloat32(name))], name).toEqual(CLS);
    expect(await file.read('bigint')).toEqual(BigInt64Array.of(1n, -2n, 3n));
    expect(await file.read('fortran')).toEqual(Int16Array.from({ length: 24 }, (_, i) => i));
    expect(await file.read('fortran', { start: 5, end: 7 })).toEqual(Int16Array.of(5, 6));
    expect([...(await file.readFloat32('bool')), ...(await file.readFloat32('u8'))]).toEqual([1, 0, 0, 255]);
    expect([...(await file.readFloat32('scalar'))]).toEqual([2.5]);
    expect(file.tensors.get('empty')?.shape).toEqual([0, 3]);
    expect([await file.readTexts('bytes'), await file.readTexts('bigtext')]).toEqual([
      ['ab', 'c'],
      ['xy', 'z'],
    ]);
    expect([...file.unread.keys()]).toEqual(['objects', 'complex', 'table']);
    expect(file.notes).toContainEqual(expect.stringMatching(/"objects" is not read: .* pickled/));
  });

  test('a single array', async () => {
    await using file = await openNpy(fixture('cls.npy'));
    expect([...(await file.readFloat32('array'))]).toEqual(CLS);
    await using objects = await openNpy(fixture('objects.npy'));
    expect(objects.unread.get('array')).toMatch(/Python objects, which are pickled/);
  });
});

describe('what is written', () => {
  const LONG = Array.from({ length: 5000 }, (_, i) => `n${i}/😀.png`);

  test('is read back, whatever its length', async () => {
    const path = join(folder, 'a.npz');
    const pieces = async function* () {
      yield Float32Array.of(0.5, -1);
      yield Float32Array.of(2, 3, 4.25, -5);
    };
    await writeNpz(path, [
      { name: 'cls', dtype: 'f32', shape: [2, 3], data: pieces },
      { name: 'images', texts: LONG },
      { name: 'labels', dtype: 'i32', shape: [2], data: Int32Array.of(7, -1) },
      { name: 'model', texts: 'ein Modell' },
    ]);
    await using file = await openNpz(path);
    expect([...(await file.readFloat32('cls'))]).toEqual(CLS);
    expect(await file.read('labels')).toEqual(Int32Array.of(7, -1));
    expect(await file.readTexts('images')).toEqual(LONG);
    expect([file.texts.get('model'), await file.readTexts('model')]).toEqual([[], ['ein Modell']]);
  });

  test('a .npy is that of NumPy, byte for byte', async () => {
    const path = join(folder, 'cls.npy');
    await writeNpy(path, { dtype: 'f32', shape: [2, 3], data: Float32Array.from(CLS) });
    expect(readFileSync(path).equals(readFileSync(fixture('cls.npy')))).toBe(true);
  });

  test.each([
    [{ name: 'a', dtype: 'bf16', shape: [1], data: new Uint16Array(1) }, /"a" as bf16, which NumPy does not have/],
    [{ name: 'a', dtype: 'f32', shape: [2], data: new Float32Array(1) }, /needs 8 bytes; its data has 4/],
    [{ name: '../a', texts: [] }, /an array called "\.\.\/a"/],
    [{ name: 5, texts: [] }, /an array called/],
  ] as const)('refused: %j', async (entry, message) => {
    await expectError(writeNpz(join(folder, 'b.npz'), [entry as never]), 'argument', message);
  });
});

describe('hostile files', () => {
  const npy = (header: Uint8Array | string, data: Uint8Array = new Uint8Array(0)): string => {
    const path = join(folder, 'hostile.npy');
    const literal = typeof header === 'string' ? headerOf(header) : header;
    writeFileSync(path, Buffer.concat([literal, data]));
    return path;
  };
  const headerOf = (literal: string): Buffer => {
    const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
    head.writeUInt16LE(literal.length, 8);
    return Buffer.concat([head, Buffer.from(literal, 'latin1')]);
  };
  const of = (descr: string, shape: string): string =>
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;

  test.each([
    [
      'a shape that the file has no room for',
      of('<f4', '1000000, 1000000'),
      'truncated',
      /needs 4000000000000 bytes, 0/,
    ],
    ['a shape beyond any number', of('<f4', '99999999, 99999999, 9999999'), 'header', /its shape is/],
    ['a shape of one huge number', of('<f4', '99999999999999999999'), 'header', /its shape is/],
    ['code in place of a shape', of('<f4', '__import__("os")'), 'header', /its header reads/],
    ['no literal', 'hello', 'header', /its header reads "hello"/],
    ['texts of no length', of('<U0', '99999999999'), undefined, /./],
    ['texts without number', of('|S1', '99999999'), 'truncated', /needs 99999999 bytes/],
  ] as const)('%s', async (_, literal, code, message) => {
    const path = npy(literal);
    if (code) await expectError(openNpy(path), code, message);
    else {
      await using file = await openNpy(path);
      expect(file.unread.size).toBe(1);
    }
  });

  test('cut short, too long, and something else', async () => {
    const whole = readFileSync(fixture('cls.npy'));
    await expectError(openNpy(npy(whole.subarray(0, -1))), 'truncated', /needs 24 bytes, 23 follow/);
    await expectError(openNpy(npy(whole.subarray(0, 40))), 'truncated', /ends within its header/);
    await expectError(openNpy(npy(Buffer.concat([whole, whole]))), 'header', /of several arrays in one \.npy none is/);
    await expectError(openNpy(npy(Buffer.from('PK'))), 'format', /no array of NumPy/);
    const wide = Buffer.concat([Buffer.from('\x93NUMPY\x02\x00', 'latin1'), Buffer.from([255, 255, 255, 127])]);
    await expectError(openNpy(npy(wide)), 'too-large', /a header of 2147483647 bytes/);
    await expectError(openNpz(fixture('cls.npy')), 'truncated', /no zip directory/);
    await expectError(openNpz('none.npz'), 'not-found');
  });

  test('an archive of other things, and a zip bomb', async () => {
    const path = join(folder, 'other.npz');
    const sink = async (parts: Parameters<typeof zipStream>[0]): Promise<void> => {
      const pieces: Uint8Array[] = [];
      await zipStream(parts)(async (bytes) => void pieces.push(Buffer.from(bytes)));
      writeFileSync(path, Buffer.concat(pieces));
    };
    await sink([{ name: 'data.pkl', write: async (to) => to(encodeNpyHeader('<f4', [0])) }]);
    await expectError(openNpz(path), 'format', /holds "data\.pkl", which is no \.npy/);
    await sink([]);
    await expectError(openNpz(path), 'format', /an empty zip/);
    const bomb = Buffer.from(readFileSync(fixture('compressed.npz')));
    const entry = bomb.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02]));
    bomb.writeUInt32LE(0x7fffffff, entry + 24);
    writeFileSync(path, bomb);
    await expectError(openNpz(path), 'too-large', /zip bomb/);
  });

  test('60 damaged files: an error of this package, or numbers, and no allocation beyond the file', async () => {
    const random = seededInteger(1);
    const honest = readFileSync(fixture('types.npz'));
    const largest = await largestAllocation(async () => {
      for (let i = 0; i < 60; i++) {
        const bytes = Buffer.from(honest);
        for (let n = 0; n < 3; n++) bytes[random(bytes.length)] = random(256);
        const path = join(folder, 'damaged.npz');
        writeFileSync(path, bytes);
        try {
          await using file = await openNpz(path);
          for (const name of file.tensors.keys()) await file.read(name);
          for (const name of file.texts.keys()) await file.readTexts(name);
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
        }
      }
    });
    expect(largest).toBeLessThan(10 * honest.length);
  });
});
