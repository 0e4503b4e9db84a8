/** State on the device: the flat buffers of a `StateLayout`, read and written by name. It outlives the plans that use it. */
import { bytesPerElement, decode, encode } from '../base/dtype';
import { TensorError } from '../base/errors';
import { sizeOf } from '../base/shape';
import { type GroupSpec, layoutState, type Segment, type StateLayout } from '../graph/state-layout';
import { GPU_BUFFER_USAGE, type Gpu } from './gpu';

export interface State extends Disposable {
  readonly layout: StateLayout;
  readonly buffers: Readonly<Record<string, readonly GPUBuffer[]>>;
  readonly bytes: number;
  /** Writes one tensor; `values` in row-major order. Throws if the name is unknown or the length is not the tensor's. */
  write(group: string, name: string, values: ArrayLike<number>): void;
  /** Reads one tensor back, f16 widened to f32. */
  read(group: string, name: string): Promise<Float32Array | Int32Array | Uint32Array>;
  /** Copies a whole group to another of the same names and shapes, on the device. */
  copy(from: string, to: string): void;
  dispose(): void;
}

/** Allocates zeroed state for `groups`. */
export function createState(gpu: Gpu, groups: Readonly<Record<string, GroupSpec>>): State {
  const layout = layoutState(groups, gpu.target);
  const usage = GPU_BUFFER_USAGE.STORAGE | GPU_BUFFER_USAGE.COPY_SRC | GPU_BUFFER_USAGE.COPY_DST;
  const buffers: Record<string, GPUBuffer[]> = {};
  for (const [group, { dtype, buffers: sizes }] of Object.entries(layout)) {
    buffers[group] = sizes.map((elements, i) =>
      gpu.createBuffer(`state ${group}[${i}]`, elements * bytesPerElement[dtype], usage),
    );
  }

  function find(group: string, name: string): { segment: Segment; buffer: GPUBuffer } {
    const segment = layout[group]?.segments[name];
    if (!segment)
      throw new TensorError(
        'state',
        `no tensor "${name}" in group "${group}"; groups are ${Object.keys(layout).join(', ')}`,
      );
    return { segment, buffer: buffers[group]![segment.buffer]! };
  }

  const dispose = (): void => {
    for (const buffer of Object.values(buffers).flat()) gpu.destroyBuffer(buffer);
  };

  return {
    layout,
    buffers,
    bytes: Object.values(layout).reduce((sum, group) => sum + group.bytes, 0),
    write(group, name, values) {
      const { segment, buffer } = find(group, name);
      const size = sizeOf(segment.shape);
      if (values.length !== size)
        throw new TensorError(
          'shape',
          `writing "${name}": ${values.length} values given, shape [${segment.shape.join(', ')}] has ${size}`,
        );
      gpu.device.queue.writeBuffer(
        buffer,
        segment.offset * bytesPerElement[segment.dtype],
        encode(values, segment.dtype),
      );
    },
    async read(group, name) {
      const { segment, buffer } = find(group, name);
      const size = sizeOf(segment.shape);
      const width = bytesPerElement[segment.dtype];
      return decode(await gpu.readBytes(buffer, segment.offset * width, size * width), segment.dtype, size);
    },
    copy(from, to) {
      const a = layout[from];
      const b = layout[to];
      if (
        !a ||
        !b ||
        a.dtype !== b.dtype ||
        a.buffers.length !== b.buffers.length ||
        a.buffers.some((elements, i) => elements !== b.buffers[i])
      ) {
        throw new TensorError('state', `groups "${from}" and "${to}" do not have the same layout`);
      }
      const encoder = gpu.device.createCommandEncoder();
      a.buffers.forEach((elements, i) => {
        encoder.copyBufferToBuffer(buffers[from]![i]!, 0, buffers[to]![i]!, 0, elements * bytesPerElement[a.dtype]);
      });
      gpu.device.queue.submit([encoder.finish()]);
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
