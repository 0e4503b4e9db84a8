/**
 * JSON that comes back equal. `JSON.stringify` writes NaN as null, -0 as 0, a Map as {} and a typed array as an object: each
 * would make a resumed run differ from one that never stopped. Here -0 is kept, and what JSON cannot hold is refused by its path.
 */
import { CheckpointError } from './errors';

/** What JSON can hold without loss. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** JSON text of a value. @throws CheckpointError `argument` for what JSON cannot hold */
export function encodeJson(value: JsonValue): string {
  return encode(value, 'state');
}

function encode(value: unknown, path: string): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  if (Array.isArray(value)) return `[${value.map((item, index) => encode(item, `${path}[${index}]`)).join(',')}]`;
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const fields = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${encode(item, `${path}.${key}`)}`).join(',')}}`;
  }
  const what = typeof value === 'object' ? `a ${value.constructor.name}` : `the ${typeof value} ${String(value)}`;
  throw new CheckpointError(
    'argument',
    `${path} is ${what}, which JSON does not keep; store it as text or as a tensor`,
  );
}
