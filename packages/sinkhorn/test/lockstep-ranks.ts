import type { Reducer } from '../src/reducer';

/**
 * Runs one function per rank in this process, with reducers that really exchange values: a call returns when all ranks
 * have made it.
 */
export function runRanks<T>(ranks: number, run: (rank: number, reducer: Reducer) => Promise<T>): Promise<T[]> {
  let waiting: { send: Float64Array; receive: Float64Array; done: () => void }[] = [];
  const reducer: Reducer = {
    allReduce: (send, receive, how) =>
      new Promise((done) => {
        waiting.push({ send: send.slice(), receive, done });
        if (waiting.length < ranks) return;
        const arrived = waiting;
        waiting = [];
        for (const call of arrived) {
          call.receive.set(
            reduced(
              arrived.map((each) => each.send),
              how,
            ),
          );
          call.done();
        }
      }),
  };
  return Promise.all(Array.from({ length: ranks }, (_, rank) => run(rank, reducer)));
}

const reduced = (sent: readonly Float64Array[], how: 'sum' | 'logSumExp'): Float64Array =>
  sent[0]!.map((_, k) => {
    const values = sent.map((own) => own[k]!);
    if (how === 'sum') return values.reduce((a, b) => a + b);
    const top = Math.max(...values);
    return Number.isFinite(top) ? top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0)) : top;
  });
