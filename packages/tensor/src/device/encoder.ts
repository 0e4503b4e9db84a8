/**
 * A plan on a device: pipelines and bind groups, made once. Encoding a run is then three calls a kernel. Kernels follow one another in one
 * compute pass, which WebGPU orders as if each were a pass of its own.
 */
import { roundUp } from '../base/whole-numbers';
import type { Plan } from '../plan/plan-types';
import type { BufferLookup, PlanBuffers } from './buffers';
import type { Gpu } from './gpu';

/** Encodes steps `from` to `to` of a plan, the last excluded; the descriptor is that of its compute passes. */
export type EncodeSteps = (
  encoder: GPUCommandEncoder,
  from: number,
  to: number,
  descriptor?: GPUComputePassDescriptor,
) => void;

/** A kernel with what it binds. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

interface Copy {
  readonly from: GPUBuffer;
  readonly fromOffset: number;
  readonly to: GPUBuffer;
  readonly toOffset: number;
  readonly bytes: number;
}

/** A plan as commands of its device. */
export interface EncodedPlan {
  readonly encode: EncodeSteps;
  /** One of each distinct kernel, in the order of their first use. */
  readonly distinct: readonly Dispatch[];
}

export async function planEncoder(
  gpu: Gpu,
  plan: Plan,
  buffers: PlanBuffers,
  bufferAt: BufferLookup,
): Promise<EncodedPlan> {
  const pipelines = await Promise.all(
    plan.steps.map((step) => (step.kind === 'kernel' ? gpu.pipeline(step.kernel) : undefined)),
  );
  const bind = bindGroupMaker(gpu);
  const commands = plan.steps.map((step, i): Dispatch | Copy => {
    if (step.kind === 'copy') {
      const { from, to } = step;
      const bytes = roundUp(from.bytes, 4);
      return { from: bufferAt(from), fromOffset: from.offset, to: bufferAt(to), toOffset: to.offset, bytes };
    }
    if (step.kind === 'send') {
      const { index, from } = step.exchange;
      const to = buffers.staging[index]!.outgoing;
      return { from: bufferAt(from), fromOffset: from.offset, to, toOffset: 0, bytes: from.bytes };
    }
    if (step.kind === 'receive') {
      const { index, to } = step.exchange;
      const from = buffers.staging[index]!.incoming;
      return { from, fromOffset: 0, to: bufferAt(to), toOffset: to.offset, bytes: to.bytes };
    }
    const pipeline = pipelines[i]!;
    const entries: GPUBufferBinding[] = step.addresses.map((address) => ({
      buffer: bufferAt(address),
      offset: address.offset,
      size: Math.max(address.bytes, 16),
    }));
    const { uniforms, workgroups } = step.kernel;
    const block: GPUBufferBinding | undefined =
      uniforms.length > 0
        ? {
            buffer: buffers.uniforms!,
            offset: buffers.uniformOffsets[i]!,
            size: roundUp(uniforms.byteLength, 16),
          }
        : undefined;
    const [x, y, z] = workgroups;
    return { pipeline, bindGroup: bind(pipeline, block, entries), x, y, z };
  });

  const kernels = commands.filter((command) => 'pipeline' in command);
  const distinct = [...new Map(kernels.map((dispatch) => [dispatch.pipeline, dispatch])).values()];
  const encode: EncodeSteps = (encoder, from, to, descriptor) => {
    let pass: GPUComputePassEncoder | undefined;
    let current: GPUComputePipeline | undefined;
    for (let i = from; i < to; i++) {
      const command = commands[i]!;
      if ('bytes' in command) {
        pass?.end();
        pass = undefined;
        encoder.copyBufferToBuffer(command.from, command.fromOffset, command.to, command.toOffset, command.bytes);
        continue;
      }
      if (!pass) {
        pass = encoder.beginComputePass(descriptor);
        current = undefined;
      }
      if (current !== command.pipeline) {
        pass.setPipeline(command.pipeline);
        current = command.pipeline;
      }
      pass.setBindGroup(0, command.bindGroup);
      pass.dispatchWorkgroups(command.x, command.y, command.z);
    }
    pass?.end();
  };
  return { encode, distinct };
}

type BindGroupMaker = (
  pipeline: GPUComputePipeline,
  uniforms: GPUBufferBinding | undefined,
  storage: readonly GPUBufferBinding[],
) => GPUBindGroup;

/** Makes bind groups, the same one for the same pipeline and buffers: each takes a piece of the driver's address space. */
function bindGroupMaker(gpu: Gpu): BindGroupMaker {
  const groups = new Map<string, GPUBindGroup>();
  const ids = new Map<GPUBuffer | GPUComputePipeline, number>();
  const idOf = (object: GPUBuffer | GPUComputePipeline): number => {
    if (!ids.has(object)) ids.set(object, ids.size);
    return ids.get(object)!;
  };
  return (pipeline, uniforms, storage) => {
    const entries = [
      ...(uniforms ? [{ binding: 0, resource: uniforms }] : []),
      ...storage.map((resource, i) => ({ binding: i + 1, resource })),
    ];
    const places = entries.map(({ resource: { buffer, offset, size } }) => `${idOf(buffer)}:${offset}:${size}`);
    const key = [idOf(pipeline), ...places].join('|');
    const known = groups.get(key);
    if (known) return known;
    const made = gpu.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    gpu.created.bindGroups++;
    groups.set(key, made);
    return made;
  };
}
