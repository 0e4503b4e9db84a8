/** Every kernel variant of an op at shapes of one's own, timed and checked: what a benchmark of products prints. */
import { TensorError } from '../base/errors';
import type { Gpu } from './gpu';
import { measureVariants, type VariantTime } from './measure-variants';
import { type OpAlone, recordAlone } from './op-alone';
import { variantsOf } from './tuner';

export interface TimeVariantsOptions {
  /** Seconds that all of it may take (default 10): what comes after is not timed, and says so. */
  readonly seconds?: number;
  /** `candidates` (default): those that the tuner would measure, and the plain one's check without its time. `all`: every kernel that fits. */
  readonly which?: 'candidates' | 'all';
}

/** What stands for the one kernel of an op that has no variants. */
const ONLY = 'the only one';

/**
 * Times the variants of an op on noise, in the order of the op's model, and compares each with single elements in f64, or, for an op that gives none, with its plain
 * variant. A GPU that has timestamps is timed by them.
 * @throws TensorError options for another `which`; as the op does for inputs that do not fit it
 */
export async function timeVariants(
  gpu: Gpu,
  alone: OpAlone,
  { seconds = 10, which = 'candidates' }: TimeVariantsOptions = {},
): Promise<VariantTime[]> {
  if (which !== 'candidates' && which !== 'all')
    throw new TensorError('options', `which is ${JSON.stringify(which)}; it must be one of candidates, all`);
  const variants = variantsOf(recordAlone(alone)[0]!.node, gpu.target);
  if (!variants) return [await measureVariants(gpu, alone, { key: ONLY }).time(ONLY)];
  const { names, candidates = names, reference, element } = variants;
  const wanted = which === 'all' ? names : candidates;
  const first = element || !names.includes(reference) ? [] : [reference];
  const measuring = measureVariants(gpu, alone, variants);
  const began = performance.now();
  const times: VariantTime[] = [];
  for (const variant of [...first, ...wanted.filter((name) => !first.includes(name))]) {
    const isLate = times.length > 0 && performance.now() - began > 1000 * seconds;
    times.push(isLate ? notTimed(variant, seconds) : await measuring.time(variant));
  }
  return times;
}

const notTimed = (variant: string, seconds: number): VariantTime => ({
  variant,
  seconds: undefined,
  difference: undefined,
  agrees: undefined,
  untried: true,
  problem: `not timed; the ${Number(seconds.toPrecision(2))} s for this op were used up`,
});
