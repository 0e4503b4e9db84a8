/** The buffers of one plan: slots, constants, inputs, knobs, the uniform blocks of all kernels, and staging for what ranks exchange. */
import { BYTES_PER_ELEMENT, encode } from '../base/dtype';
import { sizeOf } from '../base/shape';
import { BINDING_ALIGNMENT } from '../base/target';
import { roundUp } from '../base/whole-numbers';
import { exchangesOf } from '../plan/exchanges';
import type { Address, Plan } from '../plan/plan-types';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';

export interface PlanBuffers {
  readonly slots: readonly GPUBuffer[];
  readonly constants: readonly GPUBuffer[];
  readonly batch: ReadonlyMap<string, GPUBuffer>;
  readonly knobs: GPUBuffer | undefined;
  readonly uniforms: GPUBuffer | undefined;
  readonly uniformOffsets: readonly number[];
  /** Of each exchange. */
  readonly staging: readonly Staging[];
  readonly all: readonly GPUBuffer[];
}

/** Where an exchange leaves the device, and where it comes back. */
export interface Staging {
  readonly outgoing: GPUBuffer;
  readonly incoming: GPUBuffer;
}

/** The buffer behind an address of the plan. */
export type BufferLookup = (address: Address) => GPUBuffer;

/** `state` are the buffers of each group. */
export const bufferLookup =
  (buffers: PlanBuffers, state: Readonly<Record<string, readonly GPUBuffer[]>> = {}): BufferLookup =>
  ({ place }) => {
    if (place.kind === 'slot') return buffers.slots[place.slot]!;
    if (place.kind === 'constant') return buffers.constants[place.index]!;
    if (place.kind === 'batch') return buffers.batch.get(place.name)!;
    if (place.kind === 'knobs') return buffers.knobs!;
    return state[place.group]![place.buffer]!;
  };

/** All buffers, or none where one does not fit. `owner` names the step in messages. */
export function createBuffers(gpu: Gpu, plan: Plan, owner: string): PlanBuffers {
  const all: GPUBuffer[] = [];
  try {
    return fillBuffers(gpu, plan, owner, all);
  } catch (error) {
    for (const buffer of all) gpu.destroyBuffer(buffer);
    throw error;
  }
}

/** `all` gets each buffer as soon as there is one. */
function fillBuffers(gpu: Gpu, plan: Plan, owner: string, all: GPUBuffer[]): PlanBuffers {
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ, MAP_WRITE } = GPU_BUFFER_USAGE;
  const make = (label: string, bytes: number, usage = STORAGE | COPY_SRC | COPY_DST): GPUBuffer => {
    const buffer = gpu.createBuffer(label, bytes, usage, owner);
    all.push(buffer);
    return buffer;
  };
  const upload = (buffer: GPUBuffer, bytes: Uint8Array<ArrayBuffer>): void =>
    gpu.device.queue.writeBuffer(buffer, 0, bytes);
  const slots = plan.slotBytes.map((bytes, i) => make(`slot ${i}`, bytes));
  const constants = plan.constants.map(({ tensor, data }, i) => {
    const buffer = make(`constant ${i}`, Math.max(data.length * BYTES_PER_ELEMENT[tensor.dtype], 16));
    upload(buffer, encode(data, tensor.dtype));
    return buffer;
  });
  const batch = new Map(
    plan.batch.map(({ name, tensor }) => [
      name,
      make(`input ${name}`, sizeOf(tensor.shape) * BYTES_PER_ELEMENT[tensor.dtype]),
    ]),
  );
  const knobs = plan.knobBytes > 0 ? make('knobs', plan.knobBytes) : undefined;

  // every kernel's uniform block at an offset that can be bound; equal blocks share one
  const offsets = new Map<string, number>();
  const blocks: Uint32Array[] = [];
  let size = 0;
  const uniformOffsets = plan.steps.map((step) => {
    if (step.kind !== 'kernel' || step.kernel.uniforms.length === 0) return 0;
    const key = step.kernel.uniforms.join();
    const known = offsets.get(key);
    if (known !== undefined) return known;
    const offset = size;
    offsets.set(key, offset);
    blocks.push(step.kernel.uniforms);
    size += roundUp(step.kernel.uniforms.byteLength, BINDING_ALIGNMENT);
    return offset;
  });
  const uniforms = size > 0 ? make('uniforms', size, UNIFORM | COPY_SRC | COPY_DST) : undefined;
  if (uniforms) {
    const words = new Uint32Array(size / 4);
    for (const [i, offset] of [...offsets.values()].entries()) words.set(blocks[i]!, offset / 4);
    upload(uniforms, new Uint8Array(words.buffer));
  }
  const staging = exchangesOf(plan).map(({ index, from, to }) => ({
    outgoing: make(`sent in exchange ${index}`, from.bytes, MAP_READ | COPY_DST),
    incoming: make(`received in exchange ${index}`, to.bytes, MAP_WRITE | COPY_SRC),
  }));
  return { slots, constants, batch, knobs, uniforms, uniformOffsets, staging, all };
}
