/**
 * Measures which kernel variant is fastest on the adapter at hand. Before a step is planned, every op in it that has variants is looked up
 * in the cache; what is missing is measured: each variant must first agree with the reference variant, and the median of several timings
 * counts, never the best one. On a GPU that is done on inputs of the op's own shapes, and as variants differ in the order of their sums, a
 * choice is kept, or else results would change in their last bits from run to run. On a software adapter it is done on one sample, in turn,
 * since other programs have the processor as well; there, only variants of the same bits are a choice.
 */
import { TensorError } from '../base/errors';
import type { Target } from '../base/target';
import type { GraphNode, Variants } from '../graph/op';
import { storeRoot } from '../kernels/elementwise-program';
import type { Plan } from '../plan/plan-types';
import type { Gpu } from './gpu';
import { type OpAlone, openAlone, type Runner } from './op-alone';

const TIMINGS = 5;
/** Seconds per timing, of as many runs as that takes: long against a submit, and against the 0.1 ms that timestamp queries are rounded to. */
const TIMING_SECONDS = 0.004;
/** A variant whose first timing is this much slower than the best is not timed again. */
const HOPELESS = 2;
/** Largest difference from the reference over its largest value: rounding of sums in f32, and of results stored as f16. */
const TOLERANCE = { f32: 1e-4, f16: 2e-3 } as const;

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

export interface Candidate {
  readonly name: string;
  /** Of processor time on software adapters, see `Gpu.seconds`. */
  readonly seconds: number;
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

/** How long the candidates take that are measured on a sample, the fastest first: for the first such choice of a plan, measured now. */
export async function timeCandidates(gpu: Gpu, { nodes, target }: Plan): Promise<Candidate[]> {
  for (const node of nodes) {
    const variants = variantsOf(node, target);
    if (variants?.sample) return measureInTurn(gpu, { ...variants.sample, op: node.op }, variants);
  }
  return [];
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

async function fastest(gpu: Gpu, node: GraphNode, variants: Variants): Promise<string> {
  const { key, names, reference, sample } = variants;
  if (sample) {
    const measured = await orNone(measureInTurn(gpu, { ...sample, op: node.op }, variants));
    return measured?.[0]?.name ?? names[0]!;
  }
  const expected = await orNone(measureAlone(gpu, node, key, reference, Number.POSITIVE_INFINITY));
  // no room to measure beside what is in use: take the default
  if (!expected) return names[0]!;
  let best = { name: reference, seconds: expected.seconds };
  for (const name of names.filter((other) => other !== reference)) {
    const result = await orNone(measureAlone(gpu, node, key, name, best.seconds));
    if (result && result.seconds < best.seconds && agrees(result.ends, expected.ends, node))
      best = { name, seconds: result.seconds };
  }
  return best.name;
}

/** A measurement, or undefined if a variant does not fit into memory or the driver does not compile it. */
async function orNone<T>(measurement: Promise<T>): Promise<T | undefined> {
  try {
    return await measurement;
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
  const alone = await openAlone(gpu, node, { [key]: variant });
  try {
    // the first run compiles
    await alone.time(1);
    const runs = Math.min(100, Math.max(1, Math.ceil(TIMING_SECONDS / (await alone.time(1)))));
    const timings = [await alone.time(runs)];
    while (timings.length < TIMINGS && timings[0]! < HOPELESS * best) timings.push(await alone.time(runs));
    return { seconds: median(timings), ends: await alone.ends() };
  } finally {
    alone.dispose();
  }
}

/** Runs one op by all variants, round after round. Gives those whose bits are the reference's, itself included, the fastest first. */
async function measureInTurn(gpu: Gpu, sample: OpAlone, { key, names, reference }: Variants): Promise<Candidate[]> {
  const runners: (Runner & { name: string; timings: number[] })[] = [];
  try {
    for (const name of names) runners.push({ ...(await openAlone(gpu, sample, { [key]: name })), name, timings: [] });
    for (let round = 0; round <= TIMINGS; round++) for (const { timings, time } of runners) timings.push(await time(1));
    const expected = await runners.find(({ name }) => name === reference)!.ends();
    const measured: Candidate[] = [];
    // the first run compiles
    for (const { name, timings, ends } of runners)
      if (sameBits(await ends(), expected)) measured.push({ name, seconds: median(timings.slice(1)) });
    return measured.sort((a, b) => a.seconds - b.seconds);
  } finally {
    for (const runner of runners) runner.dispose();
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const sameBits = (actual: Measurement['ends'], expected: Measurement['ends']): boolean =>
  expected.every((values, i) => {
    const own = actual[i]!;
    for (let j = 0; j < values.length; j++) if (!Object.is(own[j], values[j])) return false;
    return true;
  });

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
