/**
 * The order of steps around exchanges, so that the device computes while values travel. Steps are placed one after the other along the time that they are expected to take
 * (list scheduling; Graham 1969, "Bounds on multiprocessing timing anomalies"), each time the first one in recorded order that waits for nothing:
 *
 * - a value is sent, and a computed one copied to where it is stored, as soon as it is there;
 * - what waits for another rank steps back, and later steps that do not need it go first, for as long as the exchange is expected to take;
 * - a value is received just before its first use, however early it is expected: it may be late.
 *
 * Without exchanges this is the recorded order. Every step computes what it would in that, from the same values: `dependencies` says what may not be exchanged. The
 * exchanges keep their order among themselves.
 */
import type { Target } from '../base/target';
import { kernelSeconds } from './cost';
import { dependencies } from './dependencies';
import type { Draft } from './draft';
import { exchangeSeconds } from './exchanges';
import type { InPlace } from './range';

export function overlapExchanges(drafts: readonly Draft[], inPlace: InPlace, target: Target): Draft[] {
  const before = dependencies(drafts, inPlace);
  const order = listSchedule(drafts, before, target);
  return receiveLate(order, drafts, before).map((step) => drafts[step]!);
}

function listSchedule(drafts: readonly Draft[], before: readonly number[][], target: Target): number[] {
  const after: number[][] = drafts.map(() => []);
  before.forEach((earlier, step) => {
    for (const one of earlier) after[one]!.push(step);
  });
  const missing = before.map(({ length }) => length);
  const isPlaced = drafts.map(() => false);
  const arrivals = new Map<object, number>();
  const order: number[] = [];
  let now = 0;
  let lineIsFree = 0;

  function place(step: number): void {
    const draft = drafts[step]!;
    isPlaced[step] = true;
    order.push(step);
    if (draft.kind === 'kernel') now += kernelSeconds(draft.kernel, target);
    if (draft.kind === 'send') {
      lineIsFree = Math.max(now, lineIsFree) + exchangeSeconds(draft.exchange);
      arrivals.set(draft.exchange, lineIsFree);
    }
    for (const next of after[step]!) {
      missing[next]!--;
      if (missing[next] === 0 && isEager(drafts[next]!)) place(next);
    }
  }

  /** The first step that waits for nothing; where there is none, after the time has come for what arrives next. */
  function nextStep(first: number): number {
    let earliest = { step: -1, time: Number.POSITIVE_INFINITY };
    for (let step = first; step < drafts.length; step++) {
      if (isPlaced[step] || missing[step]! > 0) continue;
      const draft = drafts[step]!;
      const time = draft.kind === 'receive' ? arrivals.get(draft.exchange)! : now;
      if (time <= now) return step;
      if (time < earliest.time) earliest = { step, time };
    }
    now = earliest.time;
    return earliest.step;
  }

  for (let first = 0; first < drafts.length; ) {
    if (isPlaced[first]) first++;
    else place(nextStep(first));
  }
  return order;
}

const isEager = ({ kind }: Draft): boolean => kind === 'send' || kind === 'copy';

/** Each value just before the first step that needs it; at the end what none does. */
function receiveLate(order: readonly number[], drafts: readonly Draft[], before: readonly number[][]): number[] {
  const isReceive = (step: number): boolean => drafts[step]!.kind === 'receive';
  const late = new Set<number>();
  for (const step of order) {
    if (isReceive(step)) continue;
    for (const one of before[step]!.filter(isReceive).sort((a, b) => a - b)) late.add(one);
    late.add(step);
  }
  for (const step of order) late.add(step);
  return [...late];
}
