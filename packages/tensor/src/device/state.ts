/**
 * State on the device: the flat buffers of a `StateLayout`, read and written by name. It outlives the plans that use it. Groups that hold copies of others follow
 * what is written here (`copies.ts`); a step that updates the originals had better update them too.
 */
import { BYTES_PER_ELEMENT, decode, encode, type ValuesOf } from '../base/dtype';
import { markSite, siteOf, TensorError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import { COPY, type Marked, refuseOtherCopy, THIS_COPY } from '../graph/copy';
import {
  type GroupLayout,
  type GroupName,
  layoutState,
  type Segment,
  type StateLayout,
  type StateSpec,
  type TensorName,
} from '../graph/state-layout';
import { refuseDuringRun, runAtHand } from './at-hand';
import { copiesOfState, keepCopies } from './copies';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';

export interface State<G extends StateSpec = StateSpec> extends Disposable, Marked {
  readonly layout: StateLayout<G>;
  readonly buffers: { readonly [group in keyof G]: readonly GPUBuffer[] };
  readonly bytes: number;
  /** Writes one tensor; `values` in row-major order. Throws if the name is unknown, the tensor a copy, or the length not its own. */
  write<N extends GroupName<G>>(group: N, name: TensorName<G, N>, values: ArrayLike<number>): void;
  /** Reads one tensor back, f16 widened to f32. */
  read<N extends GroupName<G>, T extends TensorName<G, N>>(group: N, name: T): Promise<ValuesOf<G[N][T]['dtype']>>;
  /** Copies a whole group to another of the same names and shapes, on the device. */
  copy(from: GroupName<G>, to: GroupName<G>): void;
  dispose(): void;
}

/**
 * Allocates zeroed state for `groups`. Throws `TensorError` as `layoutState`, `memory` where it is beyond the limit, `copies`. What only the driver refuses
 * is a `memory` too, from the next call that is awaited, such as `compile`.
 */
export function createState<G extends StateSpec>(gpu: Gpu, groups: G): State<G> {
  const mark = markSite();
  refuseOtherCopy('the device', gpu);
  const named = layoutState(groups, gpu.target);
  const layout: StateLayout = named;
  const buffers = allocate(gpu, layout, `the state created at ${siteOf(mark)}`);
  keepCopies(gpu, layout, buffers);
  const copies = copiesOfState(buffers);
  const dispose = (): void => {
    copies?.dispose();
    for (const buffer of Object.values(buffers).flat()) gpu.destroyBuffer(buffer);
  };
  return {
    [COPY]: THIS_COPY,
    layout: named,
    buffers: buffers as { readonly [group in keyof G]: readonly GPUBuffer[] },
    bytes: Object.values(layout).reduce((sum, group) => sum + group.bytes, 0),
    write(group, name, values) {
      refuseDuringRun(buffers);
      const { shape, dtype, buffer, offset } = findSegment(layout, group, name);
      refuseCopies(layout, group);
      if (values.length !== sizeOf(shape))
        throw new TensorError(
          'shape',
          `writing "${name}": ${values.length} values given, shape ${showShape(shape)} has ${sizeOf(shape)}`,
        );
      const start = offset * BYTES_PER_ELEMENT[dtype];
      gpu.device.queue.writeBuffer(buffers[group]![buffer]!, start, encode(values, dtype));
      copies?.outdate();
    },
    async read(group, name) {
      const run = runAtHand(buffers);
      if (run) await run.over;
      if (layout[group]?.copyOf !== undefined) {
        await copies!.prepare();
        copies!.update();
      }
      const { shape, dtype, buffer, offset } = findSegment(layout, group, name);
      const [size, width] = [sizeOf(shape), BYTES_PER_ELEMENT[dtype]];
      const bytes = await gpu.readBytes(buffers[group]![buffer]!, offset * width, size * width);
      return decode(bytes, dtype, size) as never;
    },
    copy(from, to) {
      refuseDuringRun(buffers);
      if (!haveSameLayout(layout[from], layout[to]))
        throw new TensorError('state', `groups "${from}" and "${to}" do not have the same layout`);
      refuseCopies(layout, to);
      const { buffers: sizes, dtype } = layout[from]!;
      const encoder = gpu.device.createCommandEncoder();
      sizes.forEach((elements, i) => {
        encoder.copyBufferToBuffer(buffers[from]![i]!, 0, buffers[to]![i]!, 0, elements * BYTES_PER_ELEMENT[dtype]);
      });
      gpu.device.queue.submit([encoder.finish()]);
      copies?.outdate();
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

function refuseCopies(layout: StateLayout, group: string): void {
  const { copyOf } = layout[group]!;
  if (copyOf !== undefined)
    throw new TensorError('state', `group "${group}" holds copies of "${copyOf}", and follows what is written there`);
}

/** All buffers, or none where one does not fit. */
function allocate(gpu: Gpu, layout: StateLayout, owner: string): Record<string, GPUBuffer[]> {
  const usage = GPU_BUFFER_USAGE.STORAGE | GPU_BUFFER_USAGE.COPY_SRC | GPU_BUFFER_USAGE.COPY_DST;
  const made: Record<string, GPUBuffer[]> = {};
  try {
    for (const [group, { dtype, buffers }] of Object.entries(layout)) {
      made[group] = [];
      for (const [i, elements] of buffers.entries())
        made[group].push(gpu.createBuffer(`state ${group}[${i}]`, elements * BYTES_PER_ELEMENT[dtype], usage, owner));
    }
    return made;
  } catch (error) {
    for (const buffer of Object.values(made).flat()) gpu.destroyBuffer(buffer);
    throw error;
  }
}

function findSegment(layout: StateLayout, group: string, name: string): Segment {
  const own = layout[group];
  const segment = own?.segments[name];
  if (segment) return segment;
  const instead = own
    ? `it has ${Object.keys(own.segments).slice(0, 8).join(', ')}`
    : `groups are ${Object.keys(layout).join(', ')}`;
  throw new TensorError('state', `no tensor "${name}" in group "${group}"; ${instead}`);
}

const haveSameLayout = (a: GroupLayout | undefined, b: GroupLayout | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.dtype === b.dtype &&
  a.buffers.length === b.buffers.length &&
  a.buffers.every((elements, i) => elements === b.buffers[i]);
