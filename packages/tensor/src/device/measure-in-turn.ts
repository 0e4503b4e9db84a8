/**
 * Times variants of the same bits on a software adapter, where one choice serves every size: on samples, in turn, since other programs have
 * the processor as well, and on more than one sample, since the speed of a kernel there also depends on where in memory the driver happens
 * to put its code. The median of several timings counts, never the best one.
 */
import type { Variants } from '../graph/op';
import type { Gpu } from './gpu';
import { median, orProblem } from './measure-variants';
import { type OpAlone, openAlone, type Runner, type Seen } from './op-alone';

const TIMINGS = 5;

/** The variant that is the fastest on every sample, or else the default. */
export async function fastestOnAll(gpu: Gpu, samples: readonly OpAlone[], variants: Variants): Promise<string> {
  const normal = variants.names[0]!;
  let best = normal;
  for (const [i, sample] of samples.entries()) {
    const found = await orProblem(async () => ({ variant: await fastestInTurn(gpu, sample, variants) }));
    const here = typeof found === 'string' ? normal : found.variant;
    if (here === normal || (i > 0 && here !== best)) return normal;
    best = here;
  }
  return best;
}

/** Runs one op by all variants, round after round. The fastest of those whose bits are the reference's, which is one of them. */
async function fastestInTurn(gpu: Gpu, sample: OpAlone, { key, names, reference }: Variants): Promise<string> {
  const runners: (Runner & { name: string; timings: number[] })[] = [];
  try {
    for (const name of names) runners.push({ ...(await openAlone(gpu, sample, { [key]: name })), name, timings: [] });
    for (let round = 0; round <= TIMINGS; round++) for (const { timings, time } of runners) timings.push(await time(1));
    const expected = await runners.find(({ name }) => name === reference)!.see();
    let best = { name: reference, seconds: Number.POSITIVE_INFINITY };
    for (const { name, timings, see } of runners) {
      // the first run compiles
      const seconds = median(timings.slice(1));
      if (seconds < best.seconds && sameBits(await see(), expected)) best = { name, seconds };
    }
    return best.name;
  } finally {
    for (const runner of runners) runner.dispose();
  }
}

const sameBits = (actual: readonly Seen[], expected: readonly Seen[]): boolean =>
  expected.every(({ values }, i) => {
    const own = actual[i]!.values;
    for (let j = 0; j < values.length; j++) if (!Object.is(own[j], values[j])) return false;
    return true;
  });
