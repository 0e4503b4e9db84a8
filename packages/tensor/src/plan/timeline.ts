/**
 * What a step is expected to take where R ranks run it together, with what their exchanges hide behind kernels and what they do not. Three things go on at once, each
 * of them one after another:
 *
 *   the device           kernels (`plan/cost.ts`), and the copies out of and into staging: n / read and n / write seconds for n bytes. Copies are taken
 *                        to keep kernels waiting, though a card with engines for them may do both at once
 *   the exchanges        in the order in which they were sent, each once it is mapped and the one before it is over
 *   the JavaScript thread  encodes the steps in order, and stops where a value is received that is not there yet
 *
 * An exchange sends s bytes of its own and receives t. A reduction is an all-to-all of stretches, each rank adds up its own, and the sums are gathered:
 *
 *   call + wire(s) + (R-1)/R s / reduce      all-to-all and sums: not of an allGather;  logSumExp: (R-1)/R exponentials for each value
 *   call + wire(t)                           gathering: not of a reduceScatter
 *   wire(n) = (R-p) (n/R / link + linkSeconds) + (p-1) (n/R / memory + memorySeconds)
 *
 * for p ranks on a node: each of the R-1 others gets a message, one after another, those on the same node through its memory. That is what pairwise exchanges and rings
 * carry; trees would send fewer messages, and a ring through the nodes fewer bytes between them, so that many ranks may do better than this.
 *
 * It knows nothing of ranks that are late, of other traffic, of copies that share a bus or a node's memory with those of other ranks (rates are what one rank has
 * while all of them are at it), nor of the JavaScript thread encoding more slowly while it takes exponentials.
 */
import { BYTES_PER_ELEMENT } from '../base/dtype';
import type { ExchangeRates } from '../base/exchange-rates';
import type { Target } from '../base/target';
import { kernelSeconds } from './cost';
import type { PlannedExchange, PlanStep } from './plan-types';

/** Who exchanges, and how fast. */
export interface RankLinks {
  /** R. */
  readonly ranks: number;
  /** p, at most R: ranks whose messages go through the memory of their node. */
  readonly ranksPerNode: number;
  readonly rates: ExchangeRates;
}

/** Times of one exchange, in seconds from the beginning of the step. */
export interface ExchangeTimes {
  readonly exchange: PlannedExchange;
  /** Its value lies in staging. */
  readonly sent: number;
  /** Its turn has come: it is mapped, and the exchanges before it are over. */
  readonly begun: number;
  /** What comes back can be copied to the device. */
  readonly ready: number;
  /** The device needs it; what lies between this and `ready`, if anything, is waited for. */
  readonly needed: number;
}

export interface Timeline {
  readonly seconds: number;
  /** Kernels alone. */
  readonly computeSeconds: number;
  /** What is left of `seconds`: copies to and from staging, waiting for exchanges and for kernels to be encoded. */
  readonly exposedSeconds: number;
  /** All exchanges, from their turn until they are ready, whether or not kernels run meanwhile. */
  readonly communicationSeconds: number;
  readonly exchanges: readonly ExchangeTimes[];
  /** Bytes that a rank sends to the others. */
  readonly bytes: number;
}

/** Steps of a plan, and the adapter that they run on. */
export interface TimedPlan {
  readonly steps: readonly PlanStep[];
  readonly target: Target;
}

/**
 * The expected time of a step (see the head of this file). Exchanges that depend on a knob whose name is in `idle` do not take place.
 */
export function timeline(
  { steps, target }: TimedPlan,
  links: RankLinks,
  idle: ReadonlySet<string> = new Set(),
): Timeline {
  const { read, write, mapSeconds, encodeSeconds } = valuesOf(links.rates);
  const exchanges = new Map<PlannedExchange, ExchangeTimes>();
  let [device, thread, network, computeSeconds] = [0, 0, 0, 0];
  /** The device does something that takes so long, once it is encoded. */
  const run = (seconds: number): number => {
    thread += encodeSeconds;
    device = Math.max(device, thread) + seconds;
    return device;
  };
  for (const step of steps) {
    if (step.kind === 'copy') run(0);
    else if (step.kind === 'kernel') {
      const seconds = kernelSeconds(step.kernel, target);
      computeSeconds += seconds;
      run(seconds);
    } else if (step.exchange.when !== undefined && idle.has(step.exchange.when)) continue;
    else if (step.kind === 'send') {
      const { exchange } = step;
      const sent = run(bytesOf(exchange.sent) / read);
      const begun = Math.max(sent + mapSeconds, network);
      network = begun + secondsOfExchange(exchange, links);
      exchanges.set(exchange, { exchange, sent, begun, ready: network, needed: network });
    } else {
      const times = exchanges.get(step.exchange)!;
      exchanges.set(step.exchange, { ...times, needed: Math.max(device, thread) });
      thread = Math.max(thread, times.ready);
      run(bytesOf(step.exchange.received) / write);
    }
  }
  const all = [...exchanges.values()];
  const seconds = Math.max(device, network);
  return {
    seconds,
    computeSeconds,
    exposedSeconds: seconds - computeSeconds,
    communicationSeconds: total(all.map(({ begun, ready }) => ready - begun)),
    exchanges: all,
    bytes: total(all.map(({ exchange }) => wireBytes(exchange, links.ranks))),
  };
}

const bytesOf = (elements: number): number => elements * BYTES_PER_ELEMENT.f32;

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const valuesOf = (rates: ExchangeRates): Record<keyof ExchangeRates, number> =>
  Object.fromEntries(Object.entries(rates).map(([name, { value }]) => [name, value])) as Record<
    keyof ExchangeRates,
    number
  >;

/** Bytes that are scattered before they are reduced, and that are gathered. */
const phasesOf = ({ kind, sent, received }: PlannedExchange): number[] => [
  ...(kind === 'allGather' ? [] : [bytesOf(sent)]),
  ...(kind === 'reduceScatter' ? [] : [bytesOf(received)]),
];

const wireBytes = (exchange: PlannedExchange, ranks: number): number =>
  (total(phasesOf(exchange)) * (ranks - 1)) / ranks;

/** Seconds of an exchange from its turn until it is ready. */
function secondsOfExchange(exchange: PlannedExchange, { ranks, ranksPerNode, rates }: RankLinks): number {
  const { link, memory, linkSeconds, memorySeconds, callSeconds } = valuesOf(rates);
  const wires = phasesOf(exchange).map((bytes) => {
    const stretch = bytes / ranks;
    return (
      callSeconds +
      (ranks - ranksPerNode) * (stretch / link + linkSeconds) +
      (ranksPerNode - 1) * (stretch / memory + memorySeconds)
    );
  });
  return total(wires) + reduceSeconds(exchange, ranks, rates);
}

function reduceSeconds({ kind, how, sent }: PlannedExchange, ranks: number, rates: ExchangeRates): number {
  if (kind === 'allGather') return 0;
  const others = ((ranks - 1) / ranks) * sent;
  return how === 'logSumExp' ? others / rates.logSumExp.value : bytesOf(others) / rates.reduce.value;
}
