/** Small archives of every format, made where a test needs them. */

import { buffer } from 'node:stream/consumers';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { pack } from 'tar-stream';

/** A tar of these members, in this order. */
export async function tarOf(members: Readonly<Record<string, string | Buffer>>): Promise<Uint8Array> {
  const archive = pack();
  for (const [name, body] of Object.entries(members)) archive.entry({ name }, body);
  archive.finalize();
  return buffer(archive);
}

/** A member as an archive holds it. */
export interface WrittenMember {
  readonly name: string | Uint8Array;
  readonly body: string;
  /** `0` regular (the default), `1` hard link, `2` symbolic link, `5` folder. */
  readonly type?: string;
}

/** How a long or foreign name is written: in the fields of ustar, as a GNU record, or as a PAX record. */
export type TarForm = 'ustar' | 'gnu' | 'pax';

const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A tar in one of the forms, repeated names, raw bytes in names and links included. */
export function writeTar(members: readonly WrittenMember[], form: TarForm = 'ustar'): Uint8Array {
  const blocks = members.flatMap(({ name, body, type = '0' }) => {
    const nameBytes = typeof name === 'string' ? bytesOf(name) : name;
    const slash = nameBytes.indexOf(47, nameBytes.length - 101);
    const file = [bytesOf(body)];
    if (form === 'pax' && typeof name === 'string') {
      const record = ` path=${name}\n`;
      let length = bytesOf(record).length;
      length += String(length + String(length).length).length;
      const text = bytesOf(`${length}${record}`);
      return [
        tarHeader(bytesOf('PaxHeader'), text.length, 'x'),
        text,
        tarHeader(bytesOf('short'), file[0]!.length, type),
        ...file,
      ];
    }
    if (nameBytes.length <= 100) return [tarHeader(nameBytes, file[0]!.length, type), ...file];
    if (form === 'ustar' && slash > 0 && slash <= 155) {
      const prefix = nameBytes.subarray(0, slash);
      return [tarHeader(nameBytes.subarray(slash + 1), file[0]!.length, type, prefix), ...file];
    }
    const long = Uint8Array.of(...nameBytes, 0);
    return [
      tarHeader(bytesOf('././@LongLink'), long.length, 'L'),
      long,
      tarHeader(nameBytes.subarray(0, 100), file[0]!.length, type),
      ...file,
    ];
  });
  const padded = blocks.map((block) => Buffer.concat([block, new Uint8Array((512 - (block.length % 512)) % 512)]));
  return new Uint8Array(Buffer.concat([...padded, new Uint8Array(1024)]));
}

function tarHeader(name: Uint8Array, size: number, type: string, prefix: Uint8Array = new Uint8Array()): Uint8Array {
  const header = new Uint8Array(512);
  header.set(name);
  header.set(
    bytesOf(
      `0000644\0${'0000000\0'.repeat(2)}${size.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0        ${type}`,
    ),
    100,
  );
  header.set(bytesOf('ustar\u000000'), 257);
  header.set(prefix, 345);
  const sum = header.reduce((a, b) => a + b, 0);
  header.set(bytesOf(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return header;
}

/** A parquet file with one column `image`, whose bytes are these texts, and one column `label` where labels are given. */
export function parquetOf(texts: readonly string[], labels?: readonly number[]): Uint8Array {
  const data = texts.map((text) => new TextEncoder().encode(text));
  const image = { name: 'image', data, type: 'BYTE_ARRAY' as const };
  const columnData = labels ? [image, { name: 'label', data: [...labels], type: 'INT32' as const }] : [image];
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** The same with the names of classes: as text, or as numbers whose names stand in the hub's description. */
export function parquetOfNames(texts: readonly string[], classes: readonly string[], numbered: boolean): Uint8Array {
  const image = {
    name: 'image',
    data: texts.map((text) => new TextEncoder().encode(text)),
    type: 'BYTE_ARRAY' as const,
  };
  const names = [...new Set(classes)];
  const value = JSON.stringify({ info: { features: { label: { names } } } });
  return new Uint8Array(
    numbered
      ? parquetWriteBuffer({
          columnData: [
            image,
            { name: 'label', data: classes.map((each) => names.indexOf(each)), type: 'INT32' as const },
          ],
          kvMetadata: [{ key: 'huggingface', value }],
        })
      : parquetWriteBuffer({ columnData: [image, { name: 'label', data: [...classes], type: 'STRING' as const }] }),
  );
}

/** An IDX file of unsigned bytes. */
export function idxOf(dimensions: readonly number[], data: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * dimensions.length + data.length);
  bytes.set([0, 0, 8, dimensions.length]);
  dimensions.forEach((size, axis) => {
    new DataView(bytes.buffer).setUint32(4 + 4 * axis, size);
  });
  bytes.set(data, 4 + 4 * dimensions.length);
  return bytes;
}
