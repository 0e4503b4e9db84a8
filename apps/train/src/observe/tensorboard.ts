/**
 * TensorBoard event files. A file is a sequence of TFRecords: length (u64), masked CRC-32C of the length, payload, masked CRC-32C of the payload; each
 * payload is an `Event` protocol buffer, of which scalars and PNG pictures are all that is needed here.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC-32C (Castagnoli). */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 0xff]! ^ (value >>> 8);
  return ~value >>> 0;
}

/** The rotation TFRecord applies, so that the checksum of data holding a checksum is not degenerate. */
const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

/** One TFRecord. */
export function tfRecord(payload: Uint8Array): Uint8Array {
  const record = new Uint8Array(payload.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(payload.length), true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(payload, 12);
  view.setUint32(12 + payload.length, masked(crc32c(payload)), true);
  return record;
}

// Protocol buffers: a field is its number and wire type, then a varint, 8 or 4 bytes, or a length and that many bytes.
const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
const bytesField = (field: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of((field << 3) | 2, ...varint(bytes.length)), bytes]);
};
const textField = (field: number, text: string): Uint8Array => bytesField(field, Buffer.from(text));
const intField = (field: number, value: number): Uint8Array => Uint8Array.of(field << 3, ...varint(value));
const doubleField = (field: number, value: number): Uint8Array =>
  Uint8Array.of((field << 3) | 1, ...new Uint8Array(Float64Array.of(value).buffer));
const floatField = (field: number, value: number): Uint8Array =>
  Uint8Array.of((field << 3) | 5, ...new Uint8Array(Float32Array.of(value).buffer));

export interface Picture {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface EventWriter extends AsyncDisposable {
  scalars(step: number, values: Readonly<Record<string, number>>): Promise<void>;
  picture(step: number, tag: string, picture: Picture): Promise<void>;
}

/** Opens a new event file in `folder`. */
export async function openEvents(folder: string): Promise<EventWriter> {
  const seconds = Date.now() / 1000;
  const path = join(folder, `events.out.tfevents.${Math.floor(seconds)}.${hostname()}.${process.pid}`);
  const file: FileHandle = await open(path, 'a');
  const write = async (step: number, content: Uint8Array): Promise<void> => {
    await file.write(tfRecord(Buffer.concat([doubleField(1, Date.now() / 1000), intField(2, step), content])));
  };
  const summary = (step: number, ...values: readonly Uint8Array[]): Promise<void> =>
    write(step, bytesField(5, ...values));
  await write(0, textField(3, 'brain.Event:2'));
  return {
    scalars: (step, values) =>
      summary(
        step,
        ...Object.entries(values).map(([tag, value]) => bytesField(1, textField(1, tag), floatField(2, value))),
      ),
    picture: (step, tag, { png, width, height }) => {
      const image = bytesField(4, intField(1, height), intField(2, width), intField(3, 3), bytesField(4, png));
      return summary(step, bytesField(1, textField(1, tag), image));
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
