/**
 * An account of every buffer of a device: bytes in use, allocations refused, and who forgot to give back. What is beyond the limit is refused at once. What
 * only the driver refuses is known a moment later, since a device answers when it is asked: whoever made the buffer awaits `granted`, or the device fails.
 */
import { TensorError } from '../base/errors';
import { BINDING_ALIGNMENT } from '../base/target';
import { roundUp } from '../base/whole-numbers';

export interface BufferAccount {
  /** Bytes of live buffers. */
  readonly bytes: number;
  /** Throws `TensorError` with code `memory` beyond the limit. `owner` is what has to be disposed of to free it (default: the buffer itself). */
  create(label: string, bytes: number, usage: GPUBufferUsageFlags, owner?: string): GPUBuffer;
  /** Resolves when the driver has granted all of `buffers`; rejects with `TensorError` of code `memory`, which names the first that it refused. */
  granted(buffers: readonly GPUBuffer[]): Promise<void>;
  /** Resolves when the driver has answered for every buffer so far, whatever it said. */
  answered(): Promise<void>;
  destroy(buffer: GPUBuffer): void;
  /** Destroys what is left; the error that names it, if anything was. */
  close(): TensorError | undefined;
}

/** A buffer that is not destroyed yet. */
interface Live {
  readonly owner: string;
  readonly bytes: number;
  /** Why the driver refused it, if it did. */
  readonly refused: Promise<TensorError | undefined>;
  /** Whether somebody awaits that. */
  awaited: boolean;
}

/** `onRefused` hears of refusals that nobody awaits. */
export function bufferAccount(
  device: GPUDevice,
  memoryLimit: number,
  onRefused: (error: TensorError) => void,
): BufferAccount {
  const live = new Map<GPUBuffer, Live>();
  const open = new Set<Promise<void>>();
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
      const inUse = allocated;
      device.pushErrorScope('out-of-memory');
      const buffer = device.createBuffer({ label, size, usage });
      const refused = device.popErrorScope().then(
        (error) => (error ? refusal(label, size, inUse, error.message) : undefined),
        // the device is lost, which is told by itself
        () => undefined,
      );
      const entry = { owner, bytes: size, refused, awaited: false };
      live.set(buffer, entry);
      allocated += size;
      const heard = refused.then((error) => {
        open.delete(heard);
        if (error && !entry.awaited && live.has(buffer)) onRefused(error);
      });
      open.add(heard);
      return buffer;
    },
    answered: () => Promise.all(open).then(() => {}),
    async granted(buffers) {
      const entries = buffers.flatMap((buffer) => live.get(buffer) ?? []);
      for (const entry of entries) entry.awaited = true;
      const refusals = await Promise.all(entries.map(({ refused }) => refused));
      const first = refusals.find((error) => error !== undefined);
      if (first) throw first;
    },
    destroy,
    close() {
      const leaks = [...live.values()];
      for (const buffer of [...live.keys()]) destroy(buffer);
      return leaks.length > 0 ? leakError(leaks) : undefined;
    },
  };
}

const refusal = (label: string, size: number, inUse: number, said: string): TensorError =>
  new TensorError(
    'memory',
    `the driver refused the buffer "${label}" of ${size} bytes beside ${inUse} bytes in use (${said}); end other programs that use the device, or use a smaller batch, rematerialisation or f16`,
  );

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
