/** What a misspelt key means: the nearest name in its section, or the same name in another one. */
import { isTree, leaves, type Tree, valueAt } from './tree';

/** One clause for an error message: `did you mean optim.base_lr?`, or what the section has. */
export function suggestion(complete: Tree, section: readonly string[], key: string): string {
  const own = valueAt(complete, section);
  const siblings = isTree(own) ? Object.keys(own) : [];
  const path = (name: string) => [...section, name].join('.');
  const nearest = nearestOf(key, siblings);
  if (nearest) return `did you mean "${path(nearest)}"?`;
  const elsewhere = leaves(complete).find(([name]) => name.split('.').at(-1) === key)?.[0];
  if (elsewhere) return `did you mean "${elsewhere}"?`;
  const everywhere = nearestOf(
    key,
    leaves(complete).map(([name]) => name.split('.').at(-1)!),
  );
  const home = everywhere && leaves(complete).find(([name]) => name.split('.').at(-1) === everywhere)?.[0];
  return home ? `did you mean "${home}"?` : `there are ${siblings.join(', ')}`;
}

/** The candidate fewest edits away, if that is a third of the word or less. */
export function nearestOf(word: string, candidates: readonly string[]): string | undefined {
  const distance = (other: string) => editDistance(word.toLowerCase(), other.toLowerCase());
  const [best] = [...candidates].sort((a, b) => distance(a) - distance(b));
  return best !== undefined &&
    distance(best) <= Math.max(2, Math.floor(word.length / 3)) &&
    distance(best) < word.length
    ? best
    : undefined;
}

/** Edits (insert, delete, replace, swap two neighbours) that turn one word into the other: Damerau-Levenshtein, optimal string alignment. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
