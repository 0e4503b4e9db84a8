/**
 * What a step is expected to take where R ranks run it together, with what their exchanges hide behind kernels and what they do not. Three things go on at once, each
 * of them one after another:
 *
 *   the device           kernels (`plan/cost.ts`), and the copies out of and into staging: n / read and n / write seconds for n bytes. Copies are taken
 *                        to keep kernels waiting, though a card with engines for them may do both at once
 *   the exchanges        in the order in which they were sent, each once it is mapped and the one before it is over
 *   the JavaScript thread  encodes the steps in order, and stops where a value is received that is not there yet
 *
 * An exchange sends s bytes of its own and receives t. Ranks first agree on what they are about to do. A reduction then is an all-to-all of stretches, each rank adds up its
 * own, one other rank after another, and the sums are gathered:
 *
 *   call                                                agreeing
 *   call + wire(s) + (R-1) (call + s/R / reduce)        all-to-all and sums: not of an allGather
 *   call + wire(t)                                      gathering: not of a reduceScatter
 *   wire(n) = (R-p) (n/R / link + linkSeconds) + (p-1) (n/R / memory + memorySeconds)
 *
 * (of a log-sum-exp, (R-1)/R exponentials for each value stand in place of the sums)
 * for p ranks on a node: each of the R-1 others gets a message, one after another, those on the same node through its memory. That is what pairwise exchanges and rings
 * carry; trees would send fewer messages, and a ring through the nodes fewer bytes between them, so that many ranks may do better than this.
 *
 * It knows nothing of ranks that are late, of other traffic, of copies that share a bus or a node's memory with those of other ranks (rates are what one rank has
 * while all of them are at it), nor of the JavaScript thread encoding more slowly while it takes exponentials.
 */
import { BYTES_PER_ELEMENT } from '../base/dtype';
import { TensorError } from '../base/errors';
import type { ExchangeRates } from '../base/exchange-rates';
import type { Target } from '../base/target';
import { kernelSeconds } from './cost';
import { exchangesOf } from './exchanges';
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
 * @throws TensorError `argument` where the plan is one of another number of ranks, or a rate is not above 0
 */
export function timeline(
  { steps, target }: TimedPlan,
  links: RankLinks,
  idle: ReadonlySet<string> = new Set(),
): Timeline {
  checkLinks(steps, links);
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

function checkLinks(steps: readonly PlanStep[], { ranks, ranksPerNode, rates }: RankLinks): void {
  const refuse = (problem: string): never => {
    throw new TensorError('argument', `timeline: ${problem}`);
  };
  if (!(Number.isInteger(ranks) && Number.isInteger(ranksPerNode) && 1 <= ranksPerNode && ranksPerNode <= ranks))
    refuse(`${ranks} ranks, ${ranksPerNode} of them on a node; give whole numbers, no more of a node than there are`);
  for (const [name, { value }] of Object.entries(rates))
    if (!(value > 0 || (value === 0 && name.endsWith('Seconds'))))
      refuse(`the rate ${name} is ${value}; give one above 0`);
  const other = exchangesOf({ steps }).find(({ size }) => size !== ranks);
  if (other) refuse(`the plan is one of ${other.size} ranks, not of ${ranks}; plan the step for as many`);
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
  return callSeconds + total(wires) + reduceSeconds(exchange, ranks, rates);
}

function reduceSeconds({ kind, how, sent }: PlannedExchange, ranks: number, rates: ExchangeRates): number {
  if (kind === 'allGather') return 0;
  const stretch = sent / ranks;
  if (how === 'logSumExp') return ((ranks - 1) * stretch) / rates.logSumExp.value;
  return (ranks - 1) * (rates.callSeconds.value + bytesOf(stretch) / rates.reduce.value);
}
