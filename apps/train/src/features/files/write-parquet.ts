/**
 * Features written as parquet: a row an image, with columns `image`, `label`, and lists of f32 `cls`, `patch_mean`, `patches`; what else is known is key-value metadata. Row
 * groups hold four million numbers at most, and one is in memory at a time, some 300 MB in the writer's lists.
 */
import { type Sink, writeFileAtomic } from '@franca/checkpoint';
import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { WrittenFeatures } from './written-features';

const MOST_NUMBERS = 2 ** 22;

export async function writeAsParquet(path: string, features: WrittenFeatures): Promise<number> {
  return (await writeFileAtomic(path, (sink) => writeRows(sink, features))).bytes;
}

async function writeRows(sink: Sink, features: WrittenFeatures): Promise<void> {
  const { outputs, names, labels } = features;
  const bytes = new ByteWriter();
  const flush = async (): Promise<void> => {
    await sink(bytes.getBytes());
    bytes.index = 0;
  };
  const writer = new ParquetWriter({
    writer: Object.assign(bytes, { flush }),
    schema: schemaOf(features),
    codec: 'UNCOMPRESSED',
    statistics: false,
    kvMetadata: metadataOf(features),
    createdBy: 'franca-train',
  });
  const each = (output: (typeof outputs)[number]): number =>
    features
      .shape(output)
      .slice(1)
      .reduce((product, extent) => product * extent, 1);
  const perGroup = Math.max(1, Math.floor(MOST_NUMBERS / outputs.reduce((sum, output) => sum + each(output), 0)));
  let first = 0;
  for await (const batch of features.batches()) {
    for (let from = 0; from < batch.images; from += perGroup) {
      const rows = Array.from({ length: Math.min(perGroup, batch.images - from) }, (_, i) => from + i);
      const lists = outputs.map((name): ColumnSource => {
        const width = each(name);
        return { name, data: rows.map((row) => Array.from(batch[name]!.subarray(row * width, (row + 1) * width))) };
      });
      await writer.write({
        columnData: [
          { name: 'image', data: rows.map((row) => names[first + row]!) },
          { name: 'label', data: rows.map((row) => labels[first + row]!) },
          ...lists,
        ],
        rowGroupSize: rows.length,
      });
    }
    first += batch.images;
  }
  await writer.finish();
  await flush();
}

function schemaOf({ outputs }: WrittenFeatures): SchemaElement[] {
  const list = (name: string): SchemaElement[] => [
    { name, num_children: 1, converted_type: 'LIST', repetition_type: 'REQUIRED' },
    { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
    { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
  ];
  return [
    { name: 'root', num_children: 2 + outputs.length },
    { name: 'image', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    { name: 'label', type: 'INT32', repetition_type: 'REQUIRED' },
    ...outputs.flatMap(list),
  ];
}

/** With the shape of a list of patches, which a list does not tell. */
function metadataOf({ outputs, shape, texts, classes, notes }: WrittenFeatures): { key: string; value: string }[] {
  const shapes = outputs.map((output) => [`${output} shape`, shape(output).slice(1).join(',')] as const);
  const all = [
    ...Object.entries(texts),
    ...shapes,
    ['classes', JSON.stringify(classes)],
    ['notes', JSON.stringify(notes)],
  ];
  return all.map(([key, value]) => ({ key: key!, value: value! }));
}
