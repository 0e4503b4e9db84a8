/**
 * Times the variants of one op on a GPU, on noise of its own shapes, and checks each: sampled elements against f64, where the op gives them,
 * and pieces of every output against those of the first variant that was right. Without such elements the plain variant runs first and decides.
 */
import { TensorError } from '../base/errors';
import { sizeOf } from '../base/shape';
import type { ElementAt, Variants } from '../graph/op';
import type { Gpu } from './gpu';
import { type OpAlone, openAlone, operandsOf, type Runner, recordAlone, type Seen } from './op-alone';

const TIMINGS = 5;
/** Seconds per timing, of as many runs as that takes: long against a submit, and against timestamps that are rounded to 0.1 ms. */
const TIMING_SECONDS = 0.004;
const MOST_RUNS = 400;
/** A run that is shorter is timed again, in so many. */
const SHORT_SECONDS = 0.0005;
const SHORT_RUNS = 20;
/** A variant whose first timing is this much slower than the best is not timed again. */
const HOPELESS = 2;
/** Largest difference from what is right over the largest value: rounding of sums in f32, and of results stored as f16. */
const TOLERANCE = { f32: 1e-4, f16: 2e-3 } as const;
/** Elements that are computed in f64 are as many as take so much arithmetic, within limits. */
const CHECKED_FLOPS = 2 ** 20;
const [FEWEST_CHECKED, MOST_CHECKED] = [32, 512];

export interface VariantTime {
  readonly variant: string;
  /** Median of one run; undefined where it does not run. */
  readonly seconds: number | undefined;
  /** Largest difference from what it should be over the largest value; undefined where it does not run, or nothing says what it should be. */
  readonly difference: number | undefined;
  /** Whether that is rounding. */
  readonly agrees: boolean | undefined;
  /** Why it does not run. */
  readonly problem?: string;
  /** There was no time for it. */
  readonly untried?: true;
}

/** An element that is known in f64. */
interface KnownElement {
  readonly at: number;
  readonly value: number;
}

/** What the variants of an op are measured by. */
export interface Measuring {
  /** Times one variant; `best` seconds are those of the best so far (default: none). @throws TensorError but for `memory` and `shader` */
  time(variant: string, best?: number): Promise<VariantTime>;
}

/** Prepares to measure an op on the target of `gpu`. */
export function measureVariants(
  gpu: Gpu,
  alone: OpAlone,
  { key, element, flops = 0 }: Pick<Variants, 'key' | 'element' | 'flops'>,
): Measuring {
  const outputs = recordAlone(alone);
  const checked = Math.floor((CHECKED_FLOPS * sizeOf(outputs[0]!.shape)) / Math.max(flops, 1));
  const tolerance = outputs.some(({ dtype }) => dtype === 'f16') ? TOLERANCE.f16 : TOLERANCE.f32;
  let known: readonly KnownElement[] | undefined;
  let right: readonly Seen[] | undefined;

  /** The first that is right by its elements, or the first of all, is what the others are compared with. */
  function differenceOf(seen: readonly Seen[]): number | undefined {
    if (element) known ??= knownElements(element, operandsOf(alone), { seen, count: checked });
    const differences = [
      ...(known ? [elementDifference(seen, known)] : []),
      ...(right ? [seenDifference(seen, right)] : []),
    ];
    const difference = differences.length > 0 ? Math.max(...differences) : undefined;
    if (difference === undefined || difference <= tolerance) right ??= seen;
    return difference;
  }

  return {
    async time(variant, best = Number.POSITIVE_INFINITY) {
      const found = await orProblem(async () => {
        const runner = await openAlone(gpu, alone, { ...gpu.target.tuned, [key]: variant });
        try {
          return { seconds: await medianTime(runner, best), seen: await runner.see() };
        } finally {
          runner.dispose();
        }
      });
      if (typeof found === 'string')
        return { variant, seconds: undefined, difference: undefined, agrees: undefined, problem: found };
      const difference = differenceOf(found.seen);
      return {
        variant,
        seconds: found.seconds,
        difference,
        agrees: difference === undefined ? undefined : difference <= tolerance,
      };
    },
  };
}

/** A measurement, or why there is none: a variant does not fit into memory, or the driver does not compile it. */
export async function orProblem<T>(measurement: () => Promise<T>): Promise<T | string> {
  try {
    return await measurement();
  } catch (error) {
    if (error instanceof TensorError && (error.code === 'memory' || error.code === 'shader')) return error.message;
    throw error;
  }
}

async function medianTime(runner: Runner, best: number): Promise<number> {
  // the first run compiles
  await runner.time(1);
  let rough = await runner.time(1);
  if (rough < SHORT_SECONDS) rough = await runner.time(SHORT_RUNS);
  const runs = Math.min(MOST_RUNS, Math.max(1, Math.ceil(TIMING_SECONDS / rough)));
  const timings = [await runner.time(runs)];
  while (timings.length < TIMINGS && timings[0]! < HOPELESS * best) timings.push(await runner.time(runs));
  return median(timings);
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Elements of the first output in f64, evenly over the pieces that are seen of it. */
function knownElements(
  element: NonNullable<Variants['element']>,
  operands: readonly ElementAt[],
  { seen, count }: { readonly seen: readonly Seen[]; readonly count: number },
): KnownElement[] {
  const places = seen.flatMap(({ output, first, values }) =>
    output === 0 ? Array.from({ length: values.length }, (_, i) => first + i) : [],
  );
  const wanted = Math.min(places.length, MOST_CHECKED, Math.max(FEWEST_CHECKED, count));
  return Array.from({ length: wanted }, (_, i) => {
    const at = places[Math.floor((i * (places.length - 1)) / Math.max(1, wanted - 1))]!;
    return { at, value: element(operands, at) };
  });
}

/** Largest difference of the known elements over the largest of them. */
function elementDifference(seen: readonly Seen[], known: readonly KnownElement[]): number {
  const own = new Map<number, number>();
  for (const { output, first, values } of seen)
    if (output === 0) for (let i = 0; i < values.length; i++) own.set(first + i, values[i]!);
  return largestDifference(
    known.map(({ at }) => own.get(at)!),
    known.map(({ value }) => value),
  );
}

/** The same of all that is seen, output by output. */
function seenDifference(actual: readonly Seen[], expected: readonly Seen[]): number {
  const outputs = new Set(expected.map(({ output }) => output));
  const all = (seen: readonly Seen[], output: number): number[] =>
    seen.flatMap((piece) => (piece.output === output ? Array.from(piece.values) : []));
  return Math.max(...[...outputs].map((output) => largestDifference(all(actual, output), all(expected, output))));
}

function largestDifference(actual: readonly number[], expected: readonly number[]): number {
  let [scale, worst] = [0, 0];
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(actual[i]! - value);
    // neither infinities nor NaN are ever a result on noise
    if (!Number.isFinite(difference)) return Number.POSITIVE_INFINITY;
    scale = Math.max(scale, Math.abs(value));
    worst = Math.max(worst, difference);
  }
  return worst === 0 ? 0 : worst / scale;
}
