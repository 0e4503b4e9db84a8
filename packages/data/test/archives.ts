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
