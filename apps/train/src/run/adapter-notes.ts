/** What is to be said of the adapter when a run begins: a card that stays unused, and another adapter than before. */
import type { Gpu, Target } from '@franca/tensor';
import { type Host, unseenCard } from '@franca/tensor/node';
import type { Continuation } from './continuation';
import { readEnvironments } from './run-folder';

/** A run on the processor that nobody asked for, on a machine that has a card. `asked` is the adapter that was named, if any. */
export function unusedCard(
  asked: string | undefined,
  { family, name }: Pick<Target, 'family' | 'name'>,
  host: Host,
): string[] {
  const card = family === 'cpu' && (asked ?? 'auto') === 'auto' ? unseenCard(host) : undefined;
  return card ? [`warning: the run computes on the processor (${name}); ${card}`] : [];
}

/** The same numbers come only from the same kernels. */
export async function otherAdapter(origin: Continuation | undefined, { target }: Gpu): Promise<string[]> {
  const before = origin && (await readEnvironments(origin.run)).at(-1)?.adapter.name;
  if (before === undefined || before === target.name) return [];
  return [`the steps so far were computed on ${before}: on another adapter a run goes on, but not bit for bit`];
}
