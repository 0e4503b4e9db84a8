/**
 * The exchanges of a plan on their way between the device and the other ranks. Each has two buffers of its own, made with the plan: the value is copied into the
 * one, which is mapped when that has run; the ranks read and write mapped memory, off the JavaScript thread; the other one, with the result, is unmapped
 * and copied to where it goes, and then mapped again for the next run. Calls to the ranks are made one at a time in the order of the plan, whatever is
 * mapped first: all ranks must make them in one order.
 */
import { TensorError } from '../base/errors';
import type { Ranks } from '../graph/ranks';
import { exchangesOf } from '../plan/exchanges';
import type { Plan, PlannedExchange } from '../plan/plan-types';
import type { Staging } from './buffers';
import { GPU_MAP_READ, GPU_MAP_WRITE } from './flags';
import type { Gpu } from './gpu';

export interface Exchanges {
  /** After the submit that copied a value into its outgoing buffer: the exchange goes on in the background. */
  send(index: number): void;
  /** Resolves when the incoming buffer holds the result and can be copied from; rejects if the exchange or one before it failed. */
  arrival(index: number): Promise<void>;
  /** After the submit that copied the result. */
  received(index: number): void;
  /** Ranks are called no more. */
  close(): void;
  /** Resolves when the ranks use no memory of the device any more, whether or not the exchanges succeeded. */
  settled(): Promise<void>;
}

/** An exchange with what is awaited for it. */
interface Journey extends Staging {
  readonly exchange: PlannedExchange;
  /** Of the last run: the incoming buffer is mapped, and the result is in it. */
  writable: Promise<unknown>;
  arrival: Promise<void>;
}

/** `staging` are the buffers of each exchange, `ranks` with whom; `owner` names the step in messages. */
export function planExchanges(
  gpu: Gpu,
  plan: Plan,
  staging: readonly Staging[],
  ranks: Ranks | undefined,
  owner: string,
): Exchanges {
  const mapForWriting = (buffer: GPUBuffer): Promise<unknown> => quiet(gpu.wait(buffer.mapAsync(GPU_MAP_WRITE)));
  const journeys = exchangesOf(plan).map((exchange): Journey => {
    const { outgoing, incoming } = staging[exchange.index]!;
    return { exchange, outgoing, incoming, writable: mapForWriting(incoming), arrival: Promise.resolve() };
  });
  let last = Promise.resolve();
  let isClosed = false;

  async function travel(journey: Journey, before: Promise<void>): Promise<void> {
    const { exchange, outgoing, incoming, writable } = journey;
    const mapped = quiet(gpu.wait(outgoing.mapAsync(GPU_MAP_READ)));
    await before;
    await Promise.all([mapped, writable]);
    if (isClosed) throw new TensorError('state', `${owner} was disposed during a run`);
    await callRanks(
      ranks!,
      exchange,
      new Float32Array(outgoing.getMappedRange(0, exchange.from.bytes)),
      new Float32Array(incoming.getMappedRange(0, exchange.to.bytes)),
    );
    outgoing.unmap();
    incoming.unmap();
  }

  return {
    send(index) {
      const journey = journeys[index]!;
      journey.arrival = last = quiet(travel(journey, last));
    },
    arrival: (index) => journeys[index]!.arrival,
    received(index) {
      const journey = journeys[index]!;
      journey.writable = mapForWriting(journey.incoming);
    },
    close() {
      isClosed = true;
    },
    settled: () => last.then(ignore, ignore),
  };
}

const ignore = (): void => {};

/** A promise whose rejection is somebody's to await, but not at once. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

function callRanks(
  ranks: Ranks,
  { kind, how }: PlannedExchange,
  send: Float32Array,
  receive: Float32Array,
): Promise<void> {
  if (kind === 'allReduce') return ranks.allReduce(send, receive, how);
  return kind === 'allGather' ? ranks.allGather(send, receive) : ranks.reduceScatter(send, receive, how);
}
