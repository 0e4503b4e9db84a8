/** Configuration trees: plain nested objects, as YAML gives them. */
import { TrainError } from '../errors';

export type Leaf = string | number | boolean | null | readonly unknown[];
export interface Tree {
  readonly [key: string]: Tree | Leaf | undefined;
}

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A configuration, whose type names its keys, as the tree that it is. */
export const asTree = (config: object): Tree => config as Tree;

/** Names through which an assignment could reach the prototype of every object. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** `over` laid on `base`: sections merge, everything else (lists too) is replaced. @throws TrainError `config` for a forbidden key */
export function merge(base: Tree, over: Tree): Tree {
  const merged: Record<string, Tree[string]> = { ...base };
  for (const key of Object.keys(over)) {
    if (FORBIDDEN.has(key)) throw new TrainError('config', `"${key}" cannot be the name of a setting`);
    const [below, above] = [merged[key], over[key]];
    merged[key] = isTree(above) ? merge(isTree(below) ? below : {}, above) : above;
  }
  return merged;
}

/** The tree that holds one value at a dotted path. */
export const treeOf = (path: readonly string[], value: Tree[string]): Tree => {
  const [key, ...rest] = path;
  return { [key!]: rest.length === 0 ? value : treeOf(rest, value) };
};

/** Every leaf by its dotted path, in order. */
export function leaves(tree: Tree, prefix = ''): [path: string, value: Leaf][] {
  return Object.entries(tree).flatMap(([key, value]): [string, Leaf][] => {
    const path = prefix + key;
    return isTree(value) ? leaves(value, `${path}.`) : value === undefined ? [] : [[path, value]];
  });
}

/** The value at a path of keys (and list indices); undefined if there is none. */
export function valueAt(tree: Tree, path: readonly string[]): unknown {
  let value: unknown = tree;
  for (const key of path)
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Tree)[key] : undefined;
  return value;
}
