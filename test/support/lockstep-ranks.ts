/** Ranks in one process, which really exchange values: a call resolves when all ranks have made it. Reductions are in the order of the ranks, as over MPI. */
import type { Ranks, Reduction } from '../../packages/tensor/src/graph/ranks';

interface Call {
  readonly what: string;
  readonly send: Float32Array;
  readonly receive: Float32Array;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

/** `size` ranks; the values that a rank sent are not looked at after its call has resolved. */
export function lockstepRanks(size: number): Ranks[] {
  const queues: Call[][] = Array.from({ length: size }, () => []);
  const meet = (finish: (sent: readonly Float32Array[], receive: Float32Array, rank: number) => void): void => {
    const calls = queues.map((queue) => queue.shift()!);
    const [first] = calls;
    const odd = calls.find(({ what }) => what !== first!.what);
    if (odd) for (const { fail } of calls) fail(new Error(`ranks call ${first!.what} and ${odd.what} at once`));
    const sent = calls.map(({ send }) => send.slice());
    calls.forEach(({ receive, done }, rank) => {
      if (!odd) finish(sent, receive, rank);
      done();
    });
  };
  return Array.from({ length: size }, (_, rank): Ranks => {
    const call = (
      what: string,
      [send, receive]: readonly [Float32Array, Float32Array],
      finish: Parameters<typeof meet>[0],
    ) =>
      new Promise<void>((done, fail) => {
        queues[rank]!.push({ what: `${what} of ${send.length}`, send, receive, done, fail });
        if (queues.every((queue) => queue.length > 0)) meet(finish);
      });
    return {
      rank,
      size,
      allReduce: (send, receive, how) =>
        call(`allReduce ${how}`, [send, receive], (sent, into) => into.set(reduced(sent, how))),
      reduceScatter: (send, receive, how) =>
        call(`reduceScatter ${how}`, [send, receive], (sent, into, own) =>
          into.set(reduced(sent, how).subarray(own * into.length, (own + 1) * into.length)),
        ),
      allGather: (send, receive) =>
        call('allGather', [send, receive], (sent, into) =>
          sent.forEach((values, i) => {
            into.set(values, i * values.length);
          }),
        ),
    };
  });
}

/** As `how` says, in the order of the ranks. */
function reduced(sent: readonly Float32Array[], how: Reduction): Float32Array {
  const [first, ...rest] = sent;
  if (how === 'sum') return rest.reduce((sum, own) => sum.map((value, i) => value + own[i]!), first!);
  const most = rest.reduce((max, own) => max.map((value, i) => Math.max(value, own[i]!)), first!);
  if (how === 'max') return most;
  return most.map((top, i) =>
    Number.isFinite(top) ? top + Math.log(sent.reduce((sum, own) => sum + Math.exp(own[i]! - top), 0)) : top,
  );
}
