/** What ranks exchange in a plan, and how long that is expected to take. */
import { BYTES_PER_ELEMENT } from '../base/dtype';
import type { Plan, PlannedExchange } from './plan-types';

/** The exchanges of a plan, in the order in which every rank sends them. */
export const exchangesOf = ({ steps }: Pick<Plan, 'steps'>): PlannedExchange[] =>
  steps.flatMap((step) => (step.kind === 'send' ? [step.exchange] : []));

/** Mapping, message and copy of a small value; the rate of large ones, all of that together. Of the order of magnitude that steps are put in order by, not measured. */
const LATENCY_SECONDS = 1e-3;
const BYTES_PER_SECOND = 2e9;
/** Values of a log-sum-exp, each of which takes an exponential for every other rank, all ranks sharing the work: measured on one core. */
const EXPONENTIALS_PER_SECOND = 35e6;

/** Seconds from a value's departure to its return, for the order of steps (`overlap.ts`). */
export function exchangeSeconds({ how, sent, received }: Pick<PlannedExchange, 'how' | 'sent' | 'received'>): number {
  const exponentials = how === 'logSumExp' ? sent : 0;
  const bytes = Math.max(sent, received) * BYTES_PER_ELEMENT.f32;
  return LATENCY_SECONDS + bytes / BYTES_PER_SECOND + exponentials / EXPONENTIALS_PER_SECOND;
}
