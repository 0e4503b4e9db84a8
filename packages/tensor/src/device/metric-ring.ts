/**
 * Scalar outputs of the last runs, kept on the device and read together. The end of every run copies them into the next row of a ring, and
 * now and then the ring is read in one go. The loss of every step arrives without a read per step.
 */
import { BYTES_PER_ELEMENT, decode } from '../base/dtype';
import { sizeOf } from '../base/shape';
import type { Plan } from '../plan/plan-types';
import type { BufferLookup } from './buffers';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';

export interface MetricRing {
  readonly buffers: readonly GPUBuffer[];
  push(encoder: GPUCommandEncoder): void;
  drain(): Promise<Record<string, number>[]>;
}

export function metricRing(gpu: Gpu, plan: Plan, bufferAt: BufferLookup, rows: number): MetricRing {
  const scalars = Object.entries(plan.outputs).filter(
    ([, { tensor }]) => sizeOf(tensor.shape) === 1 && BYTES_PER_ELEMENT[tensor.dtype] === 4,
  );
  if (scalars.length === 0) return { buffers: [], push: () => {}, drain: async () => [] };
  const rowBytes = scalars.length * 4;
  const ring = gpu.createBuffer('metric ring', rows * rowBytes, GPU_BUFFER_USAGE.COPY_DST | GPU_BUFFER_USAGE.COPY_SRC);
  let written = 0;
  let drained = 0;
  return {
    buffers: [ring],
    push(encoder) {
      const row = (written++ % rows) * rowBytes;
      scalars.forEach(([, { address }], i) => {
        encoder.copyBufferToBuffer(bufferAt(address), address.offset, ring, row + i * 4, 4);
      });
    },
    async drain() {
      const first = Math.max(drained, written - rows);
      const last = written;
      drained = written;
      if (first === last) return [];
      const bytes = await gpu.readBytes(ring, 0, rows * rowBytes);
      return Array.from({ length: last - first }, (_, i) => {
        const row = ((first + i) % rows) * rowBytes;
        return Object.fromEntries(
          scalars.map(([name, { tensor }], j) => [
            name,
            decode(bytes.slice(row + j * 4, row + j * 4 + 4), tensor.dtype, 1)[0]!,
          ]),
        );
      });
    },
  };
}
