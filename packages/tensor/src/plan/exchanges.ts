/** What ranks exchange in a plan. */
import type { Plan, PlannedExchange } from './plan-types';

/** The exchanges of a plan, in the order in which every rank sends them. */
export const exchangesOf = ({ steps }: Pick<Plan, 'steps'>): PlannedExchange[] =>
  steps.flatMap((step) => (step.kind === 'send' ? [step.exchange] : []));
