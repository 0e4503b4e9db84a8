/** Runs one op with nothing around it, on noise: a plan of its own, to time a kernel variant and to compare what it computes. */
import { BYTES_PER_ELEMENT, decode, encode } from '../base/dtype';
import { sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import { roundUp } from '../base/whole-numbers';
import type { GraphNode, Spec, Tensor } from '../graph/op';
import { record } from '../graph/record';
import { input } from '../ops/sources';
import { makePlan } from '../plan/plan';
import type { Plan } from '../plan/plan-types';
import { type BufferLookup, bufferLookup, createBuffers } from './buffers';
import { planEncoder } from './encoder';
import type { Gpu } from './gpu';

/** At most this many elements at each end of an output are compared. */
const COMPARED = 2 ** 20;

/** An op, what it is given, and nothing around it. */
export interface OpAlone extends Pick<GraphNode, 'op' | 'attrs'> {
  readonly inputs: readonly Spec[];
}

export interface Runner {
  /** Seconds of one run, as the mean of several. */
  time(runs: number): Promise<number>;
  /** The first and last elements of each output. */
  ends(): Promise<readonly ArrayLike<number>[]>;
  dispose(): void;
}

/** Prepares an op to run by the variants that `tuned` names. */
export async function openAlone(gpu: Gpu, alone: OpAlone, tuned: Target['tuned']): Promise<Runner> {
  const plan = planAlone(alone, { ...gpu.target, tuned });
  const buffers = createBuffers(gpu, plan, 'an op that is timed');
  const dispose = (): void => {
    for (const buffer of buffers.all) gpu.destroyBuffer(buffer);
  };
  try {
    await gpu.granted(buffers.all);
    for (const { name, tensor } of plan.batch) {
      const bytes = sizeOf(tensor.shape) * BYTES_PER_ELEMENT[tensor.dtype];
      gpu.device.queue.writeBuffer(buffers.batch.get(name)!, 0, noise(name, bytes, tensor.dtype));
    }
    const bufferAt = bufferLookup(buffers);
    const { encode } = await planEncoder(gpu, plan, buffers, bufferAt);
    return {
      async time(runs) {
        const encoder = gpu.device.createCommandEncoder();
        for (let i = 0; i < runs; i++) encode(encoder, 0, plan.steps.length);
        const began = gpu.seconds();
        gpu.device.queue.submit([encoder.finish()]);
        await gpu.wait(gpu.device.queue.onSubmittedWorkDone());
        return (gpu.seconds() - began) / runs;
      },
      ends: () => readEnds(gpu, plan, bufferAt),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function readEnds(gpu: Gpu, plan: Plan, bufferAt: BufferLookup): Promise<ArrayLike<number>[]> {
  const ends: ArrayLike<number>[] = [];
  for (const { tensor, address } of Object.values(plan.outputs)) {
    const width = BYTES_PER_ELEMENT[tensor.dtype];
    const size = sizeOf(tensor.shape);
    const count = Math.min(size, COMPARED);
    for (const first of size > COMPARED ? [0, size - count - (size % 4)] : [0]) {
      const bytes = await gpu.readBytes(bufferAt(address), address.offset + first * width, count * width);
      ends.push(decode(bytes, tensor.dtype, count));
    }
  }
  return ends;
}

function planAlone({ op, inputs, attrs }: OpAlone, target: Target): Plan {
  const operands = inputs.map(({ shape, dtype }, i) => input(`operand ${i}`, shape, dtype));
  const outputs = Object.fromEntries(record(op, operands, attrs).map((tensor, i) => [`output ${i}`, tensor]));
  return makePlan({ outputs, effects: [], state: {}, target });
}

/** Numbers in [-1, 1): a block of them, of prime length so that no row repeats another, over and over. */
function noise(seed: string, bytes: number, dtype: Tensor['dtype']): Uint8Array<ArrayBuffer> {
  let state = seed.length + seed.charCodeAt(seed.length - 1);
  const block = encode(
    Float32Array.from({ length: 4093 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 31 - 1;
    }),
    dtype,
  );
  const filled = new Uint8Array(roundUp(bytes, 4));
  for (let at = 0; at < bytes; at += block.length)
    filled.set(block.subarray(0, Math.min(block.length, bytes - at)), at);
  return filled;
}
