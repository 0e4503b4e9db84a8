/**
 * Scalar outputs of the last runs, kept on the device and read together. The end of every run copies them into the next row of a ring, and
 * now and then the ring is read in one go. The loss of every step arrives without a read per step.
 */
import { BYTES_PER_ELEMENT, decode } from '../base/dtype';
import { TensorError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import type { Spec } from '../graph/op';
import type { Plan } from '../plan/plan-types';
import type { MetricRow, Metrics } from '../step';
import type { BufferLookup } from './buffers';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';

export interface MetricRing<O> {
  readonly buffers: readonly GPUBuffer[];
  push(encoder: GPUCommandEncoder): void;
  drain(): Promise<Metrics<O>>;
  /** The row of the last run, which must have been. */
  latest(): Promise<MetricRow<O>>;
}

export function metricRing<O>(
  gpu: Gpu,
  plan: Plan,
  bufferAt: BufferLookup,
  rows: number,
  owner: string,
): MetricRing<O> {
  const scalars = Object.entries(plan.outputs).filter(([, { tensor }]) => isMetric(tensor));
  const prototype = explainOthers(plan);
  const rowBytes = scalars.length * 4;
  const usage = GPU_BUFFER_USAGE.COPY_DST | GPU_BUFFER_USAGE.COPY_SRC;
  const ring = gpu.createBuffer('metric ring', Math.max(rows * rowBytes, 4), usage, owner);
  let written = 0;
  let drained = 0;

  /** Rows of runs `first` to `last`, which lie in the ring one after the other. */
  async function read(first: number, last: number): Promise<MetricRow<O>[]> {
    if (first === last) return [];
    const count = last - first;
    const bytes = rowBytes ? await gpu.readBytes(ring, (first % rows) * rowBytes, count * rowBytes) : new ArrayBuffer();
    return Array.from({ length: count }, (_, i) => {
      const values = scalars.map(([name, { tensor }], j): [string, number] => {
        const at = i * rowBytes + j * 4;
        return [name, decode(bytes.slice(at, at + 4), tensor.dtype, 1)[0]!];
      });
      return Object.assign(Object.create(prototype), Object.fromEntries(values)) as MetricRow<O>;
    });
  }

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
      const [last, dropped] = [written, first - drained];
      drained = written;
      // the ring's end lies between the two where it has wrapped around
      const end = Math.min(last, (Math.floor(first / rows) + 1) * rows);
      const [older, newer] = await Promise.all([read(first, end), read(end, last)]);
      return { rows: [...older, ...newer], dropped };
    },
    latest: async () => (await read(written - 1, written))[0]!,
  };
}

const isMetric = ({ shape, dtype }: Spec): boolean => sizeOf(shape) === 1 && BYTES_PER_ELEMENT[dtype] === 4;

/** What rows inherit: outputs that are no metrics answer with an error instead of `undefined`, which arithmetic would turn into NaN. */
function explainOthers({ outputs }: Plan): object {
  const others = Object.entries(outputs).filter(([, { tensor }]) => !isMetric(tensor));
  const explained = others.map(([name, { tensor }]) => {
    const get = (): never => {
      const advice = sizeOf(tensor.shape) === 1 ? 'cast it to f32 in the step' : `read it with read("${name}")`;
      throw new TensorError(
        'argument',
        `output "${name}" is ${tensor.dtype} ${showShape(tensor.shape)} and no metric, which are single 4-byte values; ${advice}`,
      );
    };
    return [name, { get }];
  });
  return Object.create(Object.prototype, Object.fromEntries(explained)) as object;
}
