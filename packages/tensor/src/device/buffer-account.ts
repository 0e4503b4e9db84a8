/** An account of every buffer of a device: bytes in use, allocations refused, and who forgot to give back. */
import { TensorError } from '../base/errors';
import { BINDING_ALIGNMENT } from '../base/target';
import { roundUp } from '../base/whole-numbers';

export interface BufferAccount {
  /** Bytes of live buffers. */
  readonly bytes: number;
  /** Throws `TensorError` with code `memory` beyond the limit. */
  create(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer;
  destroy(buffer: GPUBuffer): void;
  /** Destroys what is left; the error that names it, if anything was. */
  close(): TensorError | undefined;
}

export function bufferAccount(device: GPUDevice, memoryLimit: number): BufferAccount {
  const live = new Map<GPUBuffer, { label: string; bytes: number }>();
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
    create(label, bytes, usage) {
      const size = Math.max(roundUp(bytes, BINDING_ALIGNMENT), BINDING_ALIGNMENT);
      if (allocated + size > memoryLimit)
        throw new TensorError(
          'memory',
          `buffer "${label}" of ${size} bytes does not fit: ${allocated} of ${memoryLimit} bytes are in use; free something or raise memoryLimit`,
        );
      const buffer = device.createBuffer({ label, size, usage });
      live.set(buffer, { label, bytes: size });
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

function leakError(leaks: readonly { label: string; bytes: number }[]): TensorError {
  const named = leaks.slice(0, 8).map(({ label, bytes }) => `"${label}" (${bytes} bytes)`);
  return new TensorError(
    'leak',
    `the device was disposed while ${leaks.length} buffers were alive: ${named.join(', ')}; dispose their owners (plans, state) first`,
  );
}
