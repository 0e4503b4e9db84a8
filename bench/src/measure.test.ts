import type { Gpu } from '@franca/tensor';
import { describe, expect, test } from 'vitest';
import type { BenchCase, Parties, Runner } from './case';
import { measureCase } from './measure';
import { caseLine, summarise } from './report';

/** A party that takes no time and answers with `result`. */
function answering(result: number[], runs: number[] = []): () => Promise<Runner> {
  return async () => ({
    run: async (count) => {
      runs.push(count);
    },
    output: async () => result,
    dispose: () => {},
  });
}
const parties = { franca: {} as Gpu, 'jax-js wasm': {} as Parties['jax-js wasm'] };
const peak = { flopsPerSecond: 4e9, bytesPerSecond: 1e9, byProcessor: false };

describe('a benchmark case', () => {
  test('is timed only for parties that agree with the first', async () => {
    const runs: number[] = [];
    const bench: BenchCase = {
      name: 'sum',
      tolerance: 1e-3,
      open: { franca: answering([1, 2]), 'jax-js wasm': answering([1, 2.1], runs) },
    };
    const result = await measureCase(bench, parties, 3);
    expect(result.timings.map(({ party }) => party)).toEqual(['franca']);
    expect(result.disagreements).toEqual([{ party: 'jax-js wasm', difference: expect.closeTo(0.05, 6) }]);
    expect(runs).toEqual([1]);
  });
  test('is timed in as many rounds for each', async () => {
    const bench: BenchCase = {
      name: 'sum',
      tolerance: 0,
      open: { franca: answering([1]), 'jax-js wasm': answering([1]) },
    };
    const { timings } = await measureCase(bench, parties, 5);
    expect(timings.map(({ rounds }) => rounds)).toEqual([5, 5]);
  });
  test('is reported as rate, share of the peak and ratios to the engine', () => {
    const timing = (party: 'franca' | 'jax-js wasm', milliseconds: number) => ({
      party,
      milliseconds,
      fastest: milliseconds,
      slowest: milliseconds,
      processor: 2 * milliseconds,
      rounds: 1,
    });
    const result = {
      name: 'product',
      flops: 2e7,
      timings: [timing('franca', 10), timing('jax-js wasm', 35)],
      disagreements: [],
    };
    const summary = summarise(result, peak);
    expect(summary.parties[0]).toMatchObject({ gflops: 2, shareOfPeak: 0.5, ratio: 1 });
    expect(summary.parties[1]).toMatchObject({ ratio: 3.5, processorRatio: 3.5 });
    // on a software adapter the peak is one of processor time
    expect(summarise(result, { ...peak, byProcessor: true }).parties[0]!.shareOfPeak).toBe(0.25);
    expect(caseLine(summary).replace(/\s+/g, ' ')).toBe(
      'product 10 ms (2.0 GFLOP/s, 50 % of peak) | jax-js wasm 3.5x, 3.5x',
    );
  });
});
