/** What is meant by a key that does not exist: the nearest name in its section, or the same name in another one. */
import { editDistance } from './edit-distance';
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
