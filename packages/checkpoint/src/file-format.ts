/** Which of the formats that are read a file is, by its first bytes and not by its name. */
import type { ByteSource } from './byte-source';

export type FileFormat = 'zip' | 'safetensors' | 'legacy-torch' | 'json' | 'unknown';

/** `torch.save` before 1.6 begins with a pickle of this 80-bit number, 0x1950a86a20f9469cfc6c. */
const LEGACY_TORCH = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/** The same in the text of protocols 0 and 1. */
const LEGACY_TORCH_TEXT = [...new TextEncoder().encode('L119547037146038801333356L\n')];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Recognises a file by its first bytes. */
export async function sniffFormat(file: ByteSource): Promise<FileFormat> {
  const head = await file.read(0, Math.min(file.size, 64));
  const starts = (bytes: readonly number[], at = 0) => bytes.every((byte, i) => head[at + i] === byte);
  if (starts([0x50, 0x4b, 0x03, 0x04]) || starts([0x50, 0x4b, 0x05, 0x06])) return 'zip';
  if ((starts([0x80]) && starts(LEGACY_TORCH, 2)) || starts(LEGACY_TORCH_TEXT)) return 'legacy-torch';
  if (starts([0x7b], 8) && (headerLength(head) <= file.size || !starts([0x7b]))) return 'safetensors';
  if (starts([0x7b]) || starts([...BYTE_ORDER_MARK, 0x7b])) return 'json';
  return 'unknown';
}

/** What a safetensors file would begin with: where JSON stands instead, it is beyond any file. */
function headerLength(head: Uint8Array): number {
  return Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
}
