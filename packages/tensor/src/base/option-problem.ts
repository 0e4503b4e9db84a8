/**
 * Options that have no effect. In plain JavaScript a misspelt option (`mask_ratio`, `k` for `ks`) is one that is left out, in silence; functions that take
 * options ask here first and throw what they are told as an error of their own.
 */

/** What is wrong with the options that were given, in words, or undefined. `known` has every name that there is: `Record<keyof Options, true>`. */
export function optionProblem(given: unknown, known: Readonly<Record<string, true>>): string | undefined {
  const names = Object.keys(known);
  if (typeof given !== 'object' || given === null) return `options are ${String(given)}; give an object`;
  const wrong = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (wrong === undefined) return undefined;
  const plain = (name: string): string => name.replaceAll('_', '').toLowerCase();
  const meant = names.find((name) => plain(name) === plain(wrong));
  return `there is no option "${wrong}"${meant ? `, it is called ${meant}` : ''}; options are ${names.join(', ')}`;
}
