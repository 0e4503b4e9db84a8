/**
 * Arguments and options that have no effect, or not the one that was meant. In plain JavaScript a misspelt option (`mask_ratio`, `k` for `ks`) is one that is
 * left out, and a number in quotes (`'0.07'`) often works a while, in silence; functions ask here first and throw what they are told as an error of their own.
 */

/**
 * What a value must be: `true` for anything, the name of a type, or a list of the texts that it can be. Names in the plural are arrays of such, a `list` is
 * an array or any typed array; typed arrays go by their names, whichever page, worker or test they come from.
 */
export type ValueKind =
  | true
  | 'number'
  | 'string'
  | 'boolean'
  | 'function'
  | 'object'
  | 'numbers'
  | 'strings'
  | 'list'
  | 'Float32Array'
  | 'Float32Arrays'
  | 'Int32Array'
  | 'Uint8Array'
  | readonly string[];

/** Every option there is and what it must be; the compiler keeps the list complete. */
export type OptionKinds<Options extends object> = Readonly<Record<keyof Options, ValueKind>>;

/** What is wrong with the options that were given, in words, or undefined. `known` has every name that there is; an option that is undefined is left out. */
export function optionProblem(given: unknown, known: Readonly<Record<string, ValueKind>>): string | undefined {
  const names = Object.keys(known);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return `options are ${said(given)}; give an object`;
  const wrong = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (wrong !== undefined) {
    const plain = (name: string): string => name.replaceAll('_', '').toLowerCase();
    const meant = names.find((name) => plain(name) === plain(wrong));
    return `there is no option "${wrong}"${meant ? `, it is called ${meant}` : ''}; options are ${names.join(', ')}`;
  }
  const values = Object.entries(given).filter(([, value]) => value !== undefined);
  return values.map(([name, value]) => valueProblem(name, value, known[name]!)).find((problem) => problem);
}

/** What is wrong with a value, in words: `dim is "384"; it must be a number`; or undefined. `name` is what the words call it. */
export function valueProblem(name: string, value: unknown, kind: ValueKind): string | undefined {
  if (kind === true || isOfKind(value, kind)) return undefined;
  if (isPromise(value)) return `${name} is a Promise; await it`;
  const converted =
    typeof kind === 'string' && kind.endsWith('Array') && isOfKind(value, 'list') ? `; ${kind}.from makes one` : '';
  return `${name} is ${said(value)}; it must be ${wanted(kind)}${converted}`;
}

function isOfKind(value: unknown, kind: Exclude<ValueKind, true>): boolean {
  if (typeof kind === 'object') return kind.includes(value as string);
  if (kind.endsWith('s'))
    return Array.isArray(value) && value.every((each) => isOfKind(each, kind.slice(0, -1) as typeof kind));
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
  if (kind === 'list') return isList;
  if (kind === 'object') return typeof value === 'object' && value !== null && !isList && !isPromise(value);
  return kind.endsWith('Array') ? tagOf(value) === kind : typeof value === kind && !Number.isNaN(value);
}

const isPromise = (value: unknown): boolean => tagOf(value) === 'Promise';

/** `Float32Array` of the object that says `[object Float32Array]`, of another realm too. */
const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

function wanted(kind: Exclude<ValueKind, true>): string {
  if (typeof kind === 'object') return `one of ${kind.join(', ')}`;
  if (kind === 'list') return 'an array or a typed array';
  if (kind.endsWith('s')) return `an array of ${kind}`;
  return /^[aeio]/i.test(kind) ? `an ${kind}` : `a ${kind}`;
}

/** A value in a message: short ones themselves, the rest by type. */
function said(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value) && value.length <= 4 && value.every((each) => Object(each) !== each))
    return JSON.stringify(value);
  const name = tagOf(value);
  return /^[AEIO]/.test(name) ? `an ${name}` : `a ${name}`;
}
