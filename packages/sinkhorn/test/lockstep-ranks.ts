import type { Reducer } from '../src/reducer';

/**
 * Runs one function per rank in this process, with reducers that really exchange values: a call returns when all ranks
 * have made it.
 */
export function runRanks<T>(ranks: number, run: (rank: number, reducer: Reducer) => Promise<T>): Promise<T[]> {
  let waiting: { values: Float64Array; done: () => void }[] = [];
  const exchange = (combine: (a: number, b: number) => number) => (values: Float64Array) =>
    new Promise<void>((done) => {
      waiting.push({ values, done });
      if (waiting.length < ranks) return;
      const arrived = waiting;
      waiting = [];
      const total = arrived.map((call) => call.values.slice()).reduce((a, b) => a.map((x, k) => combine(x, b[k]!)));
      for (const call of arrived) {
        call.values.set(total);
        call.done();
      }
    });
  const reducer: Reducer = { allReduceMax: exchange(Math.max), allReduceSum: exchange((a, b) => a + b) };
  return Promise.all(Array.from({ length: ranks }, (_, rank) => run(rank, reducer)));
}
