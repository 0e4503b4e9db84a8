/** What callers give, checked where no compiler does: paths, options. */
import { CheckpointError, quote } from './errors';

/** @throws CheckpointError `argument` unless it is a path; `call` names who was given it */
export function requirePath(path: unknown, call: string): void {
  if (typeof path === 'string' && path !== '') return;
  const inMemory =
    path instanceof URL || path instanceof Blob || path instanceof ArrayBuffer || ArrayBuffer.isView(path);
  const wayOut = inMemory ? '; openSafetensors of @franca/checkpoint/bytes takes that' : '';
  throw new CheckpointError('argument', `${call} takes a path; ${kindOf(path)} was given${wayOut}`);
}

/** @throws CheckpointError `options` for options that `call` does not have, such as misspelt ones */
export function checkOptions(options: unknown, names: readonly string[], call: string): void {
  const has = `it has ${names.join(', ')}`;
  if (!isObject(options))
    throw new CheckpointError('options', `${call} takes an object; ${kindOf(options)} was given; ${has}`);
  const odd = Object.keys(options).find((name) => !names.includes(name));
  if (odd !== undefined) throw new CheckpointError('options', `${call} has no ${quote(odd)}; ${has}`);
}

/** Any value for a message, by its kind. */
export function kindOf(value: unknown): string {
  if (typeof value === 'string') return `the text ${quote(value)}`;
  if (value === null || value === undefined) return String(value);
  if (!isObject(value)) return `the ${typeof value} ${String(value)}`;
  if (typeof value.then === 'function') return 'a promise (await it)';
  const { name = 'object' } = value.constructor ?? {};
  return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`;
}

/** Whether a value has fields. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
