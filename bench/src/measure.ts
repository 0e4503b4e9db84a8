/**
 * Times a case: all parties compute once and must agree; then rounds in which each is timed in turn, so that whatever else the machine
 * does falls on all of them alike. The median round counts.
 */
import type { BenchCase, Parties, PartyName, Runner } from './case';

export interface Timing {
  readonly party: PartyName;
  /** Median milliseconds of one run. */
  readonly milliseconds: number;
  readonly fastest: number;
  readonly slowest: number;
  /** Median milliseconds of processor time of one run, of all threads together. */
  readonly processor: number;
  readonly rounds: number;
}

export interface Result {
  readonly name: string;
  readonly flops?: number;
  readonly bytes?: number;
  readonly timings: readonly Timing[];
  /** Parties whose result differed from the first one's, and by how much: not timed. */
  readonly disagreements: readonly { readonly party: PartyName; readonly difference: number }[];
}

/** A timing lasts at least about this long. */
const TIMING_MS = 30;
/** Parties slower than this get fewer rounds. */
const SLOW_MS = 1500;

export async function measureCase(bench: BenchCase, parties: Partial<Parties>, rounds: number): Promise<Result> {
  const { name, flops, bytes } = bench;
  const runners: { party: PartyName; runner: Runner; count: number; rounds: number; times: Sample[] }[] = [];
  const disagreements: { party: PartyName; difference: number }[] = [];
  let expected: ArrayLike<number> | undefined;
  try {
    for (const party of Object.keys(bench.open) as PartyName[]) {
      const runner = await openRunner(bench, parties, party);
      if (!runner) continue;
      await runner.run(1);
      const output = await runner.output();
      expected ??= output;
      const difference = largestDifference(output, expected);
      if (!(difference <= bench.tolerance)) {
        disagreements.push({ party, difference });
        runner.dispose();
        continue;
      }
      await runner.run(1);
      const one = (await time(runner, 1)).wall;
      const count = Math.min(50, Math.max(1, Math.round(TIMING_MS / one)));
      runners.push({ party, runner, count, rounds: one > SLOW_MS ? Math.min(rounds, 3) : rounds, times: [] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const own of runners) if (round < own.rounds) own.times.push(await time(own.runner, own.count));
    }
  } finally {
    for (const { runner } of runners) runner.dispose();
  }
  const timings = runners.map(({ party, times }): Timing => {
    const wall = times.map((sample) => sample.wall);
    return {
      party,
      milliseconds: median(wall),
      fastest: Math.min(...wall),
      slowest: Math.max(...wall),
      processor: median(times.map((sample) => sample.processor)),
      rounds: times.length,
    };
  });
  return {
    name,
    timings,
    disagreements,
    ...(flops === undefined ? {} : { flops }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}

async function openRunner<P extends PartyName>(
  { open }: BenchCase,
  parties: Partial<Parties>,
  party: P,
): Promise<Runner | undefined> {
  const context = parties[party];
  const make = open[party] as ((context: Parties[P]) => Promise<Runner>) | undefined;
  return context && make ? make(context as Parties[P]) : undefined;
}

/** Milliseconds of one run. */
export interface Sample {
  readonly wall: number;
  readonly processor: number;
}

export async function time(runner: Pick<Runner, 'run'>, count: number): Promise<Sample> {
  const [began, used] = [performance.now(), process.cpuUsage()];
  await runner.run(count);
  const { user, system } = process.cpuUsage(used);
  return { wall: (performance.now() - began) / count, processor: (user + system) / 1000 / count };
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]!));
    const difference = Math.abs(actual[i]! - expected[i]!);
    worst = Math.max(worst, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return worst / scale;
}
