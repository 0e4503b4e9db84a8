/** What a file is, by its first bytes and not by its name. */
import type { RandomAccessFile } from './random-access';

/** What the first bytes of a file say that it is. */
export type FileFormat = 'zip' | 'safetensors' | 'legacy-torch' | 'gzip' | 'tar' | 'json' | 'unknown';

/** `torch.save` before 1.6 begins with a pickle of this 80-bit number, 0x1950a86a20f9469cfc6c. */
const LEGACY_TORCH = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** Recognises a file by its first bytes. */
export async function sniffFormat(file: RandomAccessFile): Promise<FileFormat> {
  const head = await file.read(0, Math.min(file.size, 512));
  const starts = (bytes: readonly number[], at = 0) => bytes.every((byte, i) => head[at + i] === byte);
  if (starts([0x50, 0x4b, 0x03, 0x04])) return 'zip';
  if (starts([0x80]) && starts(LEGACY_TORCH, 2)) return 'legacy-torch';
  if (starts([0x1f, 0x8b])) return 'gzip';
  if (starts([...Buffer.from('ustar')], 257)) return 'tar';
  if (starts([0x7b], 8)) return 'safetensors';
  if (starts([0x7b])) return 'json';
  return 'unknown';
}
