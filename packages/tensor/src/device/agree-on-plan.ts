/**
 * Ranks that record different exchanges would wait for each other for ever, or mix up values. Before the first run each tells the others what it is going to
 * exchange, as a hash, and all of them refuse with the same error if one says something else.
 */
import { TensorError } from '../base/errors';
import type { Ranks } from '../graph/ranks';
import { exchangesOf } from '../plan/exchanges';
import type { Plan, PlannedExchange } from '../plan/plan-types';

/** Throws `TensorError` with code `options`. All ranks must call it, also those whose plan exchanges nothing. */
export async function agreeOnPlan(plan: Plan, ranks: Ranks | undefined): Promise<void> {
  const exchanges = exchangesOf(plan);
  const other = exchanges.find(({ size }) => size !== (ranks?.size ?? 1));
  if (other) refuseSize(other, ranks);
  if (!ranks || ranks.size === 1) return;
  // whole numbers below 2^16, which f32 holds exactly
  const hash = hashOf(exchanges.map(({ kind, how, sent, when }) => `${kind} ${how} ${sent} ${when}`).join('\n'));
  const count = exchanges.length;
  const own = Float32Array.of(hash >>> 16, hash & 0xffff, count >>> 16, count & 0xffff);
  const all = new Float32Array(own.length * ranks.size);
  await ranks.allGather(own, all);
  refuseDifferent(
    Array.from({ length: ranks.size }, (_, rank) => all.subarray(rank * own.length, (rank + 1) * own.length)),
  );
}

function refuseSize({ kind, size, node }: PlannedExchange, ranks: Ranks | undefined): never {
  const given = ranks ? `compile was given ranks of size ${ranks.size}` : 'compile was given no ranks';
  throw new TensorError(
    'options',
    `${kind} at ${node.site} exchanges values among ${size} ranks, but ${given}; record it for as many as there are, and pass them: compile(gpu, step, { ranks })`,
  );
}

/** What most ranks say is right; where as many say something else, what the lowest of them says. */
function refuseDifferent(said: readonly Float32Array[]): void {
  const votes = new Map<string, number>();
  for (const words of said) votes.set(words.join(), (votes.get(words.join()) ?? 0) + 1);
  if (votes.size === 1) return;
  const [[most]] = [...votes].sort(([, a], [, b]) => b - a) as [[string, number]];
  const countOf = ([, , high, low]: ArrayLike<number> & Iterable<number>): number => high! * 65536 + low!;
  const usual = said.findIndex((words) => words.join() === most);
  const others = said.flatMap((words, rank) =>
    words.join() === most ? [] : [`rank ${rank} (${countOf(words)} exchanges)`],
  );
  throw new TensorError(
    'options',
    `${others.join(', ')} would exchange other values than rank ${usual} (${countOf(said[usual]!)} exchanges); every rank must record the same step, with the same options and shapes (describePlan lists the exchanges of a plan)`,
  );
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
