/**
 * References between settings, as OmegaConf writes them: `${dino.head_n_prototypes}` stands for the value of that setting, of its type; within a longer text it is
 * spelt out. A reference sees the final values: later files and overrides count. Resolvers (`${oc.env:HOME}`) and relative paths (`${.x}`) are refused.
 */
import { TrainError } from '../errors';
import { suggestion } from './misspelt';
import { isTree, merge, type Tree, valueAt } from './tree';

const REFERENCE = /\$\{([^{}]*)\}/g;
/** References that are followed at most: a file of a few lines could otherwise double itself without end. */
const MAX_LOOK_UPS = 1000;
const PATH = /^\w+(\.\w+)*$/;

/**
 * `settings` with every reference replaced. `complete` holds the value of settings that nobody set.
 * @throws TrainError `config` that names the setting and its reference: unknown, in a circle, or of a kind that is not resolved
 */
export function interpolate(settings: Tree, complete: Tree, sourceOf: (path: readonly string[]) => string): Tree {
  const all = merge(complete, settings);
  let lookUps = 0;

  const resolve = (value: unknown, path: readonly string[], open: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((item, i) => resolve(item, [...path, String(i)], open));
    if (isTree(value))
      return Object.fromEntries(
        Object.entries(value).map(([key, below]) => [key, resolve(below, [...path, key], open)]),
      );
    if (typeof value !== 'string' || !value.includes('${')) return value;
    const [whole] = value.matchAll(REFERENCE);
    if (whole?.[0] === value) return lookUp(whole[1]!, value, path, open);
    const text = value.replaceAll(REFERENCE, (_, name: string) => {
      const found = lookUp(name, value, path, open);
      if (found !== null && typeof found === 'object') refuse(path, value, `"${name}" is not one value`);
      return String(found);
    });
    return text.includes('${') ? refuse(path, value, `expected \${section.key}`) : text;
  };

  function lookUp(name: string, value: string, path: readonly string[], open: readonly string[]): unknown {
    const target = name.trim();
    if (++lookUps > MAX_LOOK_UPS) refuse(path, value, `there are more than ${MAX_LOOK_UPS} references to follow`);
    if (!PATH.test(target))
      refuse(path, value, `only references to settings, \${section.key}, are resolved; write the value`);
    const chain = [...open, path.join('.')];
    if (chain.some((one) => one === target || one.startsWith(`${target}.`)))
      refuse(path, value, `it refers to itself: ${[...chain, target].join(' -> ')}`);
    const keys = target.split('.');
    const found = valueAt(all, keys);
    if (found === undefined)
      refuse(path, value, `there is no setting "${target}"; ${suggestion(all, keys.slice(0, -1), keys.at(-1)!)}`);
    return resolve(found, keys, chain);
  }

  function refuse(path: readonly string[], value: string, why: string): never {
    throw new TrainError('config', `${sourceOf(path)}: ${path.join('.')} is "${value}": ${why}`);
  }

  return resolve(settings, [], []) as Tree;
}
