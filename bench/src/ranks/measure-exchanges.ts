/** What exchanges of values between ranks take, through `@franca/collective`, and the rates that follow from that (`packages/tensor/src/plan/timeline.ts`). */
import type { Communicator, Reduction } from '@franca/collective';

const [KB, MB] = [1024, 2 ** 20];
const RUNS = 31;
/** A message of MPI in shared memory: a reduction of 1 KB over two ranks takes 2.4 us where nothing but MPI takes part. */
const MESSAGE_SECONDS = 1.2e-6;

export interface ExchangeTime {
  readonly kind: 'allReduce' | 'allGather';
  readonly how: Reduction;
  /** That each rank sends. */
  readonly bytes: number;
  readonly seconds: number;
}

/** What was reduced and gathered, the smallest first. */
const MEASURED: readonly (readonly [ExchangeTime['kind'], Reduction, number])[] = [
  ['allReduce', 'sum', KB],
  ['allReduce', 'sum', 2 * MB],
  ['allReduce', 'sum', 25 * MB],
  ['allReduce', 'logSumExp', 2 * MB],
  ['allGather', 'sum', 12 * MB],
];

/** The fastest run on this rank counts: one during which nothing else ran. */
export async function measureExchanges(ranks: Communicator): Promise<ExchangeTime[]> {
  const times: ExchangeTime[] = [];
  for (const [kind, how, bytes] of MEASURED) {
    const send = Float32Array.from({ length: bytes / 4 }, (_, i) => (i % 7) - ranks.rank);
    const receive = new Float32Array(kind === 'allGather' ? send.length * ranks.size : send.length);
    const runs: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      await ranks.barrier();
      const began = performance.now();
      await (kind === 'allGather' ? ranks.allGather(send, receive) : ranks.allReduce(send, receive, how));
      runs.push((performance.now() - began) / 1000);
    }
    times.push({ kind, how, bytes, seconds: Math.min(...runs) });
  }
  return times;
}

export interface MeasuredRates {
  readonly callSeconds: number;
  readonly memorySeconds: number;
  readonly memory: number;
  readonly reduce: number;
  readonly logSumExp: number;
}

/** The rates with which the model of an exchange takes these times, for ranks of one node. */
export function ratesFrom(times: readonly ExchangeTime[], size: number): MeasuredRates {
  const of = (kind: ExchangeTime['kind'], how: Reduction, bytes: number): number =>
    times.find((time) => time.kind === kind && time.how === how && time.bytes === bytes)!.seconds;
  /** What is left of a time; where the machine was busy with other things, parts measured apart may be longer than the whole. */
  const rest = (whole: number, parts: number): number => Math.max(whole - parts, whole / 10);
  const others = (size - 1) / size;
  const messages = (size - 1) * MESSAGE_SECONDS;
  // so few values are added on the JavaScript thread
  const callSeconds = Math.max(0, (of('allReduce', 'sum', KB) - 2 * messages) / 3);
  const memory = ((size - 1) * 12 * MB) / rest(of('allGather', 'sum', 12 * MB), 2 * callSeconds + messages);
  const wire = (bytes: number): number => 3 * callSeconds + 2 * (messages + (others * bytes) / memory);
  const sums = rest(of('allReduce', 'sum', 25 * MB), wire(25 * MB) + (size - 1) * callSeconds);
  const exponentials = rest(of('allReduce', 'logSumExp', 2 * MB), wire(2 * MB));
  return {
    callSeconds,
    memorySeconds: MESSAGE_SECONDS,
    memory,
    reduce: (others * 25 * MB) / sums,
    logSumExp: (others * (2 * MB)) / 4 / exponentials,
  };
}
