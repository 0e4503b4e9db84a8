/**
 * Measures which kernel variant is fastest on the adapter at hand. Before a step is planned, every op in it that has variants is looked up
 * in the cache; what is missing is measured on inputs of the op's own shapes: each variant must first agree with the reference variant,
 * and the median of several timings counts, never the best one. Variants differ in the order of their sums, so a choice is kept, or else
 * results would change in their last bits from run to run.
 */
import { BYTES_PER_ELEMENT, decode, encode } from '../base/dtype';
import { TensorError } from '../base/errors';
import { sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import { roundUp } from '../base/whole-numbers';
import type { GraphNode, Tensor, Variants } from '../graph/op';
import { record } from '../graph/record';
import { storeRoot } from '../kernels/elementwise-program';
import { input } from '../ops/sources';
import { makePlan } from '../plan/plan';
import type { Plan } from '../plan/plan-types';
import { bufferLookup, createBuffers } from './buffers';
import { planEncoder } from './encoder';
import type { Gpu } from './gpu';

const TIMINGS = 5;
/** Seconds per timing, of as many runs as that takes: long against a submit, and against the 0.1 ms that timestamp queries are rounded to. */
const TIMING_SECONDS = 0.004;
/** A variant whose first timing is this much slower than the best is not timed again. */
const HOPELESS = 2;
/** Largest difference from the reference over its largest value: rounding of sums in f32, and of results stored as f16. */
const TOLERANCE = { f32: 1e-4, f16: 2e-3 } as const;
/** At most this many elements at each end of an output are compared. */
const COMPARED = 2 ** 20;

/** The variants of a node's op on a target, if there is a choice. */
function variantsOf({ op, inputs, outputs, attrs }: GraphNode, target: Target): Variants | undefined {
  const variants = op.variants?.({ inputs, outputs, attrs, target, epilogue: storeRoot(outputs[0]!) });
  return variants && variants.names.length > 1 ? variants : undefined;
}

export interface Choice {
  readonly key: string;
  readonly variant: string;
  readonly candidates: readonly string[];
}

/** The kernel variants that a plan uses, and what else there was. */
export function chosenVariants({ nodes, target }: Plan): Choice[] {
  const choices = new Map<string, Choice>();
  for (const node of nodes) {
    const variants = variantsOf(node, target);
    if (!variants) continue;
    const { key, names } = variants;
    const tuned = target.tuned[key];
    choices.set(key, { key, variant: tuned && names.includes(tuned) ? tuned : names[0]!, candidates: names });
  }
  return [...choices.values()];
}

/** The target of `gpu` with a choice for every op of `nodes` that has one. Choices already in `target.tuned` stand. */
export async function tunedTarget(gpu: Gpu, nodes: readonly GraphNode[]): Promise<Target> {
  const { target, tuning } = gpu;
  if (!tuning) return target;
  const tuned: Record<string, string> = { ...target.tuned };
  for (const node of nodes) {
    const variants = variantsOf(node, target);
    if (!variants || variants.key in tuned) continue;
    const known = tuning.get(variants.key);
    const choice = known && variants.names.includes(known) ? known : await fastest(gpu, node, variants);
    if (choice !== known) tuning.set(variants.key, choice);
    tuned[variants.key] = choice;
  }
  return { ...target, tuned };
}

async function fastest(gpu: Gpu, node: GraphNode, { key, names, reference }: Variants): Promise<string> {
  const expected = await measure(gpu, node, key, reference, Number.POSITIVE_INFINITY);
  // no room to measure beside what is in use: take the default
  if (!expected) return names[0]!;
  let best = { name: reference, seconds: expected.seconds };
  for (const name of names.filter((other) => other !== reference)) {
    const result = await measure(gpu, node, key, name, best.seconds);
    if (result && result.seconds < best.seconds && agrees(result.ends, expected.ends, node))
      best = { name, seconds: result.seconds };
  }
  return best.name;
}

/** `measureAlone`, or undefined if the variant does not fit into memory or the driver does not compile it. */
async function measure(...args: Parameters<typeof measureAlone>): Promise<Measurement | undefined> {
  try {
    return await measureAlone(...args);
  } catch (error) {
    if (error instanceof TensorError && (error.code === 'memory' || error.code === 'shader')) return undefined;
    throw error;
  }
}

interface Measurement {
  /** Median time of one run. */
  readonly seconds: number;
  /** The first and last elements of each output. */
  readonly ends: readonly ArrayLike<number>[];
}

/** Runs one op by one variant; one whose first timing is hopeless against `best` seconds is not timed again. */
async function measureAlone(
  gpu: Gpu,
  node: GraphNode,
  key: string,
  variant: string,
  best: number,
): Promise<Measurement> {
  const plan = planAlone(node, { ...gpu.target, tuned: { [key]: variant } });
  const buffers = createBuffers(gpu, plan);
  try {
    for (const { name, tensor } of plan.batch) {
      const bytes = sizeOf(tensor.shape) * BYTES_PER_ELEMENT[tensor.dtype];
      gpu.device.queue.writeBuffer(buffers.batch.get(name)!, 0, noise(name, bytes, tensor.dtype));
    }
    const bufferAt = bufferLookup(buffers);
    const { encode } = await planEncoder(gpu, plan, buffers, bufferAt);
    const time = async (runs: number): Promise<number> => {
      const encoder = gpu.device.createCommandEncoder();
      for (let i = 0; i < runs; i++) encode(encoder, 0, plan.steps.length);
      const began = performance.now();
      gpu.device.queue.submit([encoder.finish()]);
      await gpu.wait(gpu.device.queue.onSubmittedWorkDone());
      return (performance.now() - began) / 1000 / runs;
    };
    // the first run compiles
    await time(1);
    const runs = Math.min(100, Math.max(1, Math.ceil(TIMING_SECONDS / (await time(1)))));
    const timings = [await time(runs)];
    while (timings.length < TIMINGS && timings[0]! < HOPELESS * best) timings.push(await time(runs));
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
    return { seconds: timings.sort((a, b) => a - b)[timings.length >> 1]!, ends };
  } finally {
    for (const buffer of buffers.all) gpu.destroyBuffer(buffer);
  }
}

function planAlone({ op, inputs, attrs }: GraphNode, target: Target): Plan {
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

function agrees(actual: Measurement['ends'], expected: Measurement['ends'], { outputs }: GraphNode): boolean {
  const tolerance = outputs.some(({ dtype }) => dtype === 'f16') ? TOLERANCE.f16 : TOLERANCE.f32;
  return expected.every((values, i) => {
    const own = actual[i]!;
    let scale = 0;
    let worst = 0;
    for (let j = 0; j < values.length; j++) {
      scale = Math.max(scale, Math.abs(values[j]!));
      const difference = Math.abs(own[j]! - values[j]!);
      worst = Math.max(worst, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    }
    return worst <= tolerance * scale;
  });
}
