import { brotliCompressSync, gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keysOf, labelsOf, readText } from '../../test/scratch';
import { type ByteFile, bytesInMemory } from '../files/byte-file';
import type { ImageSource } from '../images/image-source';
import { type ParquetOptions, parquetSource } from './parquet';

type Write = Parameters<typeof parquetWriteBuffer>[0];
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const file = (write: Write, name = 'a.parquet'): ByteFile =>
  bytesInMemory(name, new Uint8Array(parquetWriteBuffer(write)), '1');
const images = (...names: string[]): Write['columnData'][number] => ({
  name: 'image',
  data: names.map(text),
  type: 'BYTE_ARRAY',
});
async function open(files: ByteFile[], options: ParquetOptions = {}): Promise<ImageSource> {
  const source = await parquetSource('test', files, options);
  onTestFinished(() => source.close?.());
  return source;
}

/** The hub's own form: a struct of bytes and path, and a label whose names are in the metadata. */
const hubFile = (): ByteFile =>
  file({
    schema: [
      { name: 'root', num_children: 2 },
      { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
      { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
      { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
      { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
    ],
    columnData: [
      { name: 'image', data: ['zero', 'one', 'two'].map((name) => ({ bytes: text(name), path: `${name}.jpg` })) },
      { name: 'label', data: [1n, 0n, -1n] },
    ],
    kvMetadata: [{ key: 'huggingface', value: '{"info": {"features": {"label": {"names": ["cat", "dog"]}}}}' }],
  });

describe('parquetSource', () => {
  it('reads the hub form: struct images, labels with names, hidden labels', async () => {
    const source = await open([hubFile()]);
    expect([source.length, source.classes, labelsOf(source)]).toEqual([3, ['cat', 'dog'], [1, 0, undefined]]);
    expect(keysOf(source)).toEqual(['a.parquet#0', 'a.parquet#1', 'a.parquet#2']);
    expect(await Promise.all([0, 1, 2].map((index) => readText(source, index)))).toEqual(['zero', 'one', 'two']);
  });

  it("understands each file's numbers by its own names, and keeps names apart that repeat", async () => {
    const hub = (name: string, names: string[], label: number): ByteFile => {
      const value = JSON.stringify({ info: { features: { label: { names } } } });
      const columnData = [images('x'), { name: 'label', data: [label], type: 'INT32' as const }];
      return file({ columnData, kvMetadata: [{ key: 'huggingface', value }] }, name);
    };
    const source = await open([
      hub('1.parquet', ['cat', 'dog'], 0),
      hub('2.parquet', ['dog', 'cat', 'eel'], 0),
      hub('3.parquet', ['crane', 'crane'], 1),
    ]);
    expect(labelsOf(source).map((label) => source.classes![label!])).toEqual(['cat', 'dog', 'crane (1)']);
  });

  it('reads several files with several row groups, in order', async () => {
    const first = file({ columnData: [images('0', '1', '2', '3', '4')], rowGroupSize: 2 }, 'x/1.parquet');
    const second = file({ columnData: [images('5', '6')] }, 'x/2.parquet');
    const source = await open([first, second]);
    expect(source.runs).toEqual([2, 2, 1, 2]);
    expect(source.classes).toBeUndefined();
    expect(keysOf(source).slice(3)).toEqual(['1.parquet#3', '1.parquet#4', '2.parquet#0', '2.parquet#1']);
    const read = await Promise.all([6, 0, 4, 3, 5, 1, 2].map((index) => readText(source, index)));
    expect(read).toEqual(['6', '0', '4', '3', '5', '1', '2']);
  });

  it.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI'] as const)('reads %s pages', async (codec) => {
    const names = Array.from({ length: 200 }, (_, row) => `image ${row} ${'x'.repeat(row)}`);
    const compressors = { GZIP: gzipSync, BROTLI: brotliCompressSync };
    const source = await open([file({ columnData: [images(...names)], codec, compressors })]);
    expect(await readText(source, 177)).toBe(names[177]);
  });

  it('keeps decoded row groups within its budget, and decodes each once per visit', async () => {
    let reads = 0;
    const plain = file({ columnData: [images('aaaa', 'bbbb', 'cccc', 'dddd')], rowGroupSize: 2 });
    const counted = {
      ...plain,
      read: (...args: Parameters<ByteFile['read']>) => plain.read(...args).finally(() => reads++),
    };
    const source = await open([counted], { cacheBytes: 8 });
    const opened = reads;
    await Promise.all([readText(source, 0), readText(source, 1), readText(source, 0)]);
    expect(reads - opened).toBe(1);
    await readText(source, 2);
    await readText(source, 3);
    expect(reads - opened).toBe(2);
    await readText(source, 1);
    expect(reads - opened).toBe(3);
  });

  it('finds text labels, sorts numeric ones as numbers, and follows a given class list', async () => {
    const labelled = (data: unknown[], type?: 'STRING'): ByteFile =>
      file({ columnData: [images('a', 'b', 'c'), { name: 'label', data: data as string[], ...(type && { type }) }] });
    const texts = await open([labelled(['dog', 'cat', 'dog'], 'STRING')]);
    expect([texts.classes, labelsOf(texts)]).toEqual([
      ['cat', 'dog'],
      [1, 0, 1],
    ]);
    expect((await open([labelled([10, 9, 10])])).classes).toEqual(['9', '10']);
    expect(labelsOf(await open([labelled([10, 9, 8])], { classes: ['8', '9'] }))).toEqual([undefined, 1, 0]);
    expect((await open([labelled([1, 2, 3])], { labelColumn: false })).classes).toBeUndefined();
  });

  it('tells files of the same base name apart, and refuses one that is given twice', async () => {
    const parts = ['a/0.parquet', 'b/0.parquet'].map((name) => file({ columnData: [images(name)] }, `/data/${name}`));
    expect(keysOf(await open(parts))).toEqual(['a/0.parquet#0', 'b/0.parquet#0']);
    await expect(open([...parts, parts[0]!])).rejects.toMatchObject({ code: 'spec', message: /given twice/ });
  });

  it('asks for the image column when several fit, and says what there is when none does', async () => {
    const two = file({
      columnData: [
        { ...images('a'), name: 'left' },
        { ...images('b'), name: 'right' },
      ],
    });
    await expect(open([two])).rejects.toMatchObject({ code: 'ambiguous-source', message: /left, right/ });
    expect(await readText(await open([two], { imageColumn: 'right' }), 0)).toBe('b');
    const none = file({ columnData: [{ name: 'x', data: [1, 2] }] });
    await expect(open([none])).rejects.toMatchObject({ code: 'empty-source', message: /\(x\)/ });
  });

  it('gives an empty file for a row without an image, which is then skipped as one', async () => {
    const source = await open([
      file({
        columnData: [
          { name: 'image', data: [text('a'), null], type: 'BYTE_ARRAY', nullable: true },
        ] as Write['columnData'],
      }),
    ]);
    expect(await readText(source, 1)).toBe('');
  });
});

describe('parquetSource and hostile files', () => {
  it('refuses what is no parquet file', async () => {
    await expect(open([bytesInMemory('a.parquet', text('this is text'), '1')])).rejects.toMatchObject({
      code: 'damaged-file',
    });
    await expect(open([bytesInMemory('a.parquet', new Uint8Array(), '1')])).rejects.toMatchObject({
      code: 'damaged-file',
    });
  });

  it('refuses a file that is cut short', async () => {
    const whole = new Uint8Array(parquetWriteBuffer({ columnData: [images('a', 'b')] }));
    const headless = await open([bytesInMemory('a.parquet', whole.subarray(20), '1')]);
    await expect(headless.read(0)).rejects.toMatchObject({ code: 'unreadable-image' });
    const endless = open([bytesInMemory('a.parquet', whole.subarray(0, -9), '1')]);
    await expect(endless).rejects.toMatchObject({ code: 'damaged-file' });
  });

  it('survives a footer of nested lists that announce a billion elements each', async () => {
    // Thrift: field 2 is a list of lists of lists ..., each announcing 33 million elements.
    const deep = Array.from({ length: 5000 }, () => [0xf9, 0xff, 0xff, 0xff, 0x0f]).flat();
    const footer = Uint8Array.of(0x29, ...deep);
    const bytes = new Uint8Array(4 + footer.length + 8);
    bytes.set(text('PAR1'));
    bytes.set(footer, 4);
    new DataView(bytes.buffer).setUint32(4 + footer.length, footer.length, true);
    bytes.set(text('PAR1'), 8 + footer.length);
    await expect(open([bytesInMemory('a.parquet', bytes, '1')])).rejects.toMatchObject({
      code: 'damaged-file',
      message: expect.stringMatching(/announces more than/),
    });
  });

  it('survives any damaged byte, image by image', async () => {
    const whole = new Uint8Array(
      parquetWriteBuffer({ columnData: [images('a', 'bb', 'ccc'), { name: 'label', data: [1, 2, 3], type: 'INT32' }] }),
    );
    for (let at = 0; at < whole.length; at += 17) {
      const damaged = Uint8Array.from(whole);
      damaged[at]! ^= 0xff;
      const attempt = async (): Promise<unknown> =>
        (await open([bytesInMemory('a.parquet', damaged, '1')], { limits: { silentMs: 300 } })).read(1);
      await attempt().catch((error) => expect(error.name).toBe('DataError'));
    }
  });

  it('refuses run lengths that announce billions, and goes on with other files', async () => {
    const rows = new Array(1000).fill('x');
    const whole = new Uint8Array(
      parquetWriteBuffer({ columnData: [images(...rows)], codec: 'UNCOMPRESSED', statistics: false }),
    );
    // The definition levels are one run of 1,000 ones: its length times two as a varint, then the value.
    const run = Buffer.from(whole).indexOf(Buffer.of(0xd0, 0x0f, 1));
    expect(run).toBeGreaterThan(0);
    const forged = Uint8Array.from(whole);
    forged.set([0xfe, 0xff, 0xff, 0xff, 0x0f], run);
    const source = await open([bytesInMemory('forged.parquet', forged, '1')]);
    await expect(source.read(1)).rejects.toMatchObject({ code: 'unreadable-image' });
    expect(await readText(await open([hubFile()]), 0)).toBe('zero');
  });

  it('gives up on a worker that stays silent', async () => {
    // No worker starts within a millisecond.
    const attempt = open([hubFile()], { limits: { silentMs: 1 } });
    await expect(attempt).rejects.toMatchObject({ code: 'damaged-file', message: expect.stringMatching(/after 1 ms/) });
  });
});
