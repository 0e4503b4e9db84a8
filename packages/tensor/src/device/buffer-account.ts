/** An account of every buffer of a device: bytes in use, allocations refused, and who forgot to give back. */
import { TensorError } from '../base/errors';
import { BINDING_ALIGNMENT } from '../base/target';
import { roundUp } from '../base/whole-numbers';

export interface BufferAccount {
  /** Bytes of live buffers. */
  readonly bytes: number;
  /** Throws `TensorError` with code `memory` beyond the limit. `owner` is what has to be disposed of to free it (default: the buffer itself). */
  create(label: string, bytes: number, usage: GPUBufferUsageFlags, owner?: string): GPUBuffer;
  destroy(buffer: GPUBuffer): void;
  /** Destroys what is left; the error that names it, if anything was. */
  close(): TensorError | undefined;
}

/** A buffer that is not destroyed yet. */
interface Live {
  readonly owner: string;
  readonly bytes: number;
}

export function bufferAccount(device: GPUDevice, memoryLimit: number): BufferAccount {
  const live = new Map<GPUBuffer, Live>();
  let allocated = 0;
  function destroy(buffer: GPUBuffer): void {
    const entry = live.get(buffer);
    if (!entry) return;
    live.delete(buffer);
    allocated -= entry.bytes;
    buffer.destroy();
  }
  return {
    get bytes() {
      return allocated;
    },
    create(label, bytes, usage, owner = `the buffer "${label}"`) {
      const size = Math.max(roundUp(bytes, BINDING_ALIGNMENT), BINDING_ALIGNMENT);
      if (allocated + size > memoryLimit)
        throw new TensorError(
          'memory',
          `buffer "${label}" of ${size} bytes does not fit: ${allocated} of ${memoryLimit} bytes are in use; free something or raise memoryLimit`,
        );
      const buffer = device.createBuffer({ label, size, usage });
      live.set(buffer, { owner, bytes: size });
      allocated += size;
      return buffer;
    },
    destroy,
    close() {
      const leaks = [...live.values()];
      for (const buffer of [...live.keys()]) destroy(buffer);
      return leaks.length > 0 ? leakError(leaks) : undefined;
    },
  };
}

function leakError(leaks: readonly Live[]): TensorError {
  const bytesOf = new Map<string, number>();
  for (const { owner, bytes } of leaks) bytesOf.set(owner, (bytesOf.get(owner) ?? 0) + bytes);
  const named = [...bytesOf].slice(0, 8).map(([owner, bytes]) => `${owner} (${bytes} bytes)`);
  const more = bytesOf.size > named.length ? ` and ${bytesOf.size - named.length} more` : '';
  return new TensorError(
    'leak',
    `the device was disposed before ${named.join(', ')}${more}; call dispose() on those first, or declare them with \`using\` after the device`,
  );
}
