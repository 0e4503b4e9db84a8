/** Runs one op with nothing around it, on noise: a plan of its own, to time a kernel variant and to see what it computes. */
import { BYTES_PER_ELEMENT, decode } from '../base/dtype';
import { sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import { range, roundUp } from '../base/whole-numbers';
import type { ElementAt, GraphNode, Spec } from '../graph/op';
import { record } from '../graph/record';
import { input } from '../ops/sources';
import { makePlan } from '../plan/plan';
import type { Plan } from '../plan/plan-types';
import { type BufferLookup, bufferLookup, createBuffers } from './buffers';
import { timestamps } from './diagnose';
import { type EncodeSteps, planEncoder } from './encoder';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';
import { fillWithNoise, noiseAt } from './noise';

/** So many pieces of an output are seen, the first and the last elements among them. */
const WINDOWS = 16;
/** Elements of each. */
const WINDOW = 4096;

/** An op, what it is given, and nothing around it. */
export interface OpAlone extends Pick<GraphNode, 'op' | 'attrs'> {
  readonly inputs: readonly Spec[];
}

/** Consecutive elements of an output. */
export interface Seen {
  /** Index of the output, and of its element that comes first. */
  readonly output: number;
  readonly first: number;
  readonly values: ArrayLike<number>;
}

export interface Runner {
  /** Seconds of one run, as the mean of several: by timestamps on a GPU that has them, else by the clock of the device. */
  time(runs: number): Promise<number>;
  /** What was computed: all of a small output, pieces of a large one. */
  see(): Promise<Seen[]>;
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
    for (const { name, tensor } of plan.batch)
      fillWithNoise(gpu, buffers.batch.get(name)!, {
        count: sizeOf(tensor.shape),
        dtype: tensor.dtype,
        seed: Number(name),
      });
    const bufferAt = bufferLookup(buffers);
    const { encode } = await planEncoder(gpu, plan, buffers, bufferAt);
    const all = plan.steps.length;
    const stamped = gpu.target.family === 'gpu' && gpu.target.timestamps;
    return {
      time: (runs) => (stamped ? timeByStamps(gpu, encode, all, runs) : timeByClock(gpu, encode, all, runs)),
      see: () => seeOutputs(gpu, plan, bufferAt),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Elements of each input of an op that runs alone. */
export const operandsOf = ({ inputs }: Pick<OpAlone, 'inputs'>): ElementAt[] =>
  inputs.map(({ dtype }, i) => noiseAt(i, dtype));

/** The op between inputs of its own: the first output's node is the op itself. */
export function recordAlone({ op, inputs, attrs }: OpAlone): GraphNode['outputs'] {
  return record(
    op,
    inputs.map(({ shape, dtype }, i) => input(String(i), shape, dtype)),
    attrs,
  );
}

function planAlone(alone: OpAlone, target: Target): Plan {
  const outputs = Object.fromEntries(recordAlone(alone).map((tensor, i) => [`output ${i}`, tensor]));
  return makePlan({ outputs, effects: [], state: {}, target });
}

async function timeByClock(gpu: Gpu, encode: EncodeSteps, steps: number, runs: number): Promise<number> {
  const encoder = gpu.device.createCommandEncoder();
  for (let i = 0; i < runs; i++) encode(encoder, 0, steps);
  const began = gpu.seconds();
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.wait(gpu.device.queue.onSubmittedWorkDone());
  return (gpu.seconds() - began) / runs;
}

/** All runs between two timestamps, in one submit. */
async function timeByStamps(gpu: Gpu, encode: EncodeSteps, steps: number, runs: number): Promise<number> {
  const [began, ended] = await timestamps(gpu, 1, (querySet) => {
    const encoder = gpu.device.createCommandEncoder();
    for (let i = 0; i < runs; i++) {
      const timestampWrites = {
        querySet,
        ...(i === 0 ? { beginningOfPassWriteIndex: 0 } : {}),
        ...(i === runs - 1 ? { endOfPassWriteIndex: 1 } : {}),
      };
      encode(encoder, 0, steps, i === 0 || i === runs - 1 ? { timestampWrites } : undefined);
    }
    gpu.device.queue.submit([encoder.finish()]);
  });
  return Number(ended! - began!) / 1e9 / runs;
}

interface Piece {
  readonly first: number;
  readonly count: number;
}

/** All of an output of so many elements, or pieces of it that begin at whole words. */
function piecesOf(size: number): Piece[] {
  if (size <= WINDOWS * WINDOW) return [{ first: 0, count: size }];
  return range(WINDOWS).map((i) => {
    const first = Math.floor(((size - WINDOW) * i) / (WINDOWS - 1) / 2) * 2;
    return { first, count: i === WINDOWS - 1 ? size - first : WINDOW };
  });
}

/** Reads pieces of all outputs at once: all of a small one. */
export async function seeOutputs(gpu: Gpu, plan: Plan, bufferAt: BufferLookup): Promise<Seen[]> {
  let total = 0;
  const pieces = Object.values(plan.outputs).flatMap(({ tensor: { shape, dtype }, address }, output) =>
    piecesOf(sizeOf(shape)).map((piece) => {
      const bytes = roundUp(piece.count * BYTES_PER_ELEMENT[dtype], 4);
      total += bytes;
      return { ...piece, output, dtype, address, bytes, at: total - bytes };
    }),
  );
  const gathered = gpu.createBuffer('seen', total, GPU_BUFFER_USAGE.COPY_SRC | GPU_BUFFER_USAGE.COPY_DST);
  try {
    const encoder = gpu.device.createCommandEncoder();
    for (const { address, first, dtype, bytes, at } of pieces) {
      const from = address.offset + first * BYTES_PER_ELEMENT[dtype];
      encoder.copyBufferToBuffer(bufferAt(address), from, gathered, at, bytes);
    }
    gpu.device.queue.submit([encoder.finish()]);
    const read = await gpu.readBytes(gathered, 0, total);
    return pieces.map(({ output, first, count, dtype, bytes, at }) => ({
      output,
      first,
      values: decode(read.slice(at, at + bytes), dtype, count),
    }));
  } finally {
    gpu.destroyBuffer(gathered);
  }
}
