/** State on the device: the flat buffers of a `StateLayout`, read and written by name. It outlives the plans that use it. */
import { BYTES_PER_ELEMENT, decode, encode } from '../base/dtype';
import { TensorError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import { type GroupLayout, type GroupSpec, layoutState, type Segment, type StateLayout } from '../graph/state-layout';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';

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
  const buffers = allocate(gpu, layout);
  const dispose = (): void => {
    for (const buffer of Object.values(buffers).flat()) gpu.destroyBuffer(buffer);
  };
  return {
    layout,
    buffers,
    bytes: Object.values(layout).reduce((sum, group) => sum + group.bytes, 0),
    write(group, name, values) {
      const { shape, dtype, buffer, offset } = findSegment(layout, group, name);
      if (values.length !== sizeOf(shape))
        throw new TensorError(
          'shape',
          `writing "${name}": ${values.length} values given, shape ${showShape(shape)} has ${sizeOf(shape)}`,
        );
      const start = offset * BYTES_PER_ELEMENT[dtype];
      gpu.device.queue.writeBuffer(buffers[group]![buffer]!, start, encode(values, dtype));
    },
    async read(group, name) {
      const { shape, dtype, buffer, offset } = findSegment(layout, group, name);
      const [size, width] = [sizeOf(shape), BYTES_PER_ELEMENT[dtype]];
      return decode(await gpu.readBytes(buffers[group]![buffer]!, offset * width, size * width), dtype, size);
    },
    copy(from, to) {
      if (!haveSameLayout(layout[from], layout[to]))
        throw new TensorError('state', `groups "${from}" and "${to}" do not have the same layout`);
      const { buffers: sizes, dtype } = layout[from]!;
      const encoder = gpu.device.createCommandEncoder();
      sizes.forEach((elements, i) => {
        encoder.copyBufferToBuffer(buffers[from]![i]!, 0, buffers[to]![i]!, 0, elements * BYTES_PER_ELEMENT[dtype]);
      });
      gpu.device.queue.submit([encoder.finish()]);
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** All buffers, or none where one does not fit. */
function allocate(gpu: Gpu, layout: StateLayout): Record<string, GPUBuffer[]> {
  const usage = GPU_BUFFER_USAGE.STORAGE | GPU_BUFFER_USAGE.COPY_SRC | GPU_BUFFER_USAGE.COPY_DST;
  const made: Record<string, GPUBuffer[]> = {};
  try {
    for (const [group, { dtype, buffers }] of Object.entries(layout)) {
      made[group] = [];
      for (const [i, elements] of buffers.entries())
        made[group].push(gpu.createBuffer(`state ${group}[${i}]`, elements * BYTES_PER_ELEMENT[dtype], usage));
    }
    return made;
  } catch (error) {
    for (const buffer of Object.values(made).flat()) gpu.destroyBuffer(buffer);
    throw error;
  }
}

function findSegment(layout: StateLayout, group: string, name: string): Segment {
  const segment = layout[group]?.segments[name];
  if (segment) return segment;
  throw new TensorError(
    'state',
    `no tensor "${name}" in group "${group}"; groups are ${Object.keys(layout).join(', ')}`,
  );
}

const haveSameLayout = (a: GroupLayout | undefined, b: GroupLayout | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.dtype === b.dtype &&
  a.buffers.length === b.buffers.length &&
  a.buffers.every((elements, i) => elements === b.buffers[i]);
