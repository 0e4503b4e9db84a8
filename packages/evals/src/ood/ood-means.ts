/**
 * Means over the foreign sets of a group, as OpenOOD reports them: near sets resemble the known classes, far ones do not. Each set counts
 * alike, however many images it has.
 */
import { checkArgument, checkOption } from '../errors';
import type { Outcome } from '../outcome';

/**
 * One outcome for each score and group, in the order of both, out of those of `oodDetection`.
 *
 * @param groups the foreign sets of each group by name
 * @throws EvalsError `options` where a score lacks a set of a group
 */
export function oodMeans(outcomes: readonly Outcome[], groups: Readonly<Record<string, readonly string[]>>): Outcome[] {
  checkArgument('oodMeans', 'outcomes', outcomes, 'list');
  checkArgument('oodMeans', 'groups', groups, 'object');
  const scores = [...new Set(outcomes.map(({ hyper }) => hyper.score as string))];
  return scores.flatMap((score) =>
    Object.entries(groups)
      .filter(([, sets]) => sets.length > 0)
      .map(([group, sets]) => meanOf(outcomes, score, group, sets)),
  );
}

function meanOf(outcomes: readonly Outcome[], score: string, group: string, sets: readonly string[]): Outcome {
  const own = sets.map((set) => {
    const found = outcomes.find(({ hyper }) => hyper.score === score && hyper.outside === set);
    checkOption(found !== undefined, `oodMeans: there is no outcome of ${score} against ${set}, of group ${group}`);
    return found!;
  });
  const mean = (value: (outcome: Outcome) => number): number =>
    own.reduce((sum, outcome) => sum + value(outcome), 0) / own.length;
  const [first] = own as [Outcome, ...Outcome[]];
  // what each item gave makes the value of one set, not a mean over sets
  const { items: _, ...shared } = first;
  const { outside: __, inside, foreign: ___, ...hyper } = first.hyper;
  // the known images are the same in all
  const known = Number(inside);
  const foreign = own.reduce((sum, { evaluated }) => sum + evaluated - known, 0);
  return {
    ...shared,
    variant: `${score} ${group}`,
    evaluated: known + foreign,
    total: known + foreign,
    value: mean(({ value }) => value),
    others: Object.fromEntries(Object.keys(first.others).map((name) => [name, mean(({ others }) => others[name]!)])),
    hyper: { ...hyper, outside: sets, group, inside: known, foreign },
    wallMs: Math.max(...own.map(({ wallMs }) => wallMs)),
  };
}
