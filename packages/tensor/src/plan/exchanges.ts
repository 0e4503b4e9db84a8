/** What ranks exchange in a plan, and how long that is expected to take. */
import { BYTES_PER_ELEMENT } from '../base/dtype';
import type { Plan, PlannedExchange } from './plan-types';

/** The exchanges of a plan, in the order in which every rank sends them. */
export const exchangesOf = ({ steps }: Pick<Plan, 'steps'>): PlannedExchange[] =>
  steps.flatMap((step) => (step.kind === 'send' ? [step.exchange] : []));

/** Mapping, message and copy of a small value; the rate of large ones, all of that together. Of the order of magnitude that steps are put in order by, not measured. */
const LATENCY_SECONDS = 1e-3;
const BYTES_PER_SECOND = 2e9;

/** Seconds from a value's departure to its return, for the order of steps (`overlap.ts`). */
export const exchangeSeconds = ({ sent, received }: Pick<PlannedExchange, 'sent' | 'received'>): number =>
  LATENCY_SECONDS + (Math.max(sent, received) * BYTES_PER_ELEMENT.f32) / BYTES_PER_SECOND;
