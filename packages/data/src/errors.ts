/**
 * The one error class of this package.
 *
 * Two kinds of trouble need two answers. An image that cannot be used is skipped, counted and named (`isImageError`; `unreadable-now` where another attempt may read it);
 * anything else (a data set that is not there, a damaged index, no network) ends the call that met it.
 */

import { type OptionKinds, optionProblem, type ValueKind, valueProblem } from '@franca/tensor';

const IMAGE_CODES = [
  'empty-file',
  'not-an-image',
  'corrupt-image',
  'image-too-large',
  'unreadable-image',
  'unreadable-now',
] as const;

/** Why one image cannot be used. */
export type ImageErrorCode = (typeof IMAGE_CODES)[number];

/** Every `code` that a `DataError` can carry. */
export type DataErrorCode =
  | ImageErrorCode
  | 'ambiguous-source'
  | 'bad-argument'
  | 'bad-checksum'
  | 'bad-spec'
  | 'cursor-mismatch'
  | 'damaged-file'
  | 'disk-full'
  | 'empty-source'
  | 'file-system'
  | 'http-status'
  | 'not-found'
  | 'no-network'
  | 'no-range'
  | 'too-many-bad-images'
  | 'unsupported-format';

/** Thrown by everything in this package: `code` for programs; the message says what happened and how to fix it. */
export class DataError extends Error {
  readonly code: DataErrorCode;

  constructor(code: DataErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'DataError';
    this.code = code;
  }
}

/** True when the error concerns one image only, so that a run can go on without it. */
export function isImageError(error: unknown): error is DataError & { readonly code: ImageErrorCode } {
  return error instanceof DataError && (IMAGE_CODES as readonly string[]).includes(error.code);
}

/**
 * Refuses options that do not exist or are of another type, and what is no options at all; `what` is the function that was called.
 * @throws DataError bad-argument
 */
export function checkOptions<Options extends object>(
  what: string,
  options: Options,
  known: OptionKinds<Options>,
): void {
  const problem = optionProblem(options, known);
  if (problem) throw new DataError('bad-argument', `${what}: ${problem}`);
}

/** Refuses an argument of another type; `name` is what the function calls it. */
export function checkArgument(what: string, name: string, value: unknown, kind: ValueKind): void {
  const problem = valueProblem(name, value, kind);
  if (problem) throw new DataError('bad-argument', `${what}: ${problem}`);
}

/** Refuses a number that is no integer of at least `least`. */
export function checkCount(what: string, name: string, value: unknown, least: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return;
  throw new DataError(
    'bad-argument',
    `${what}: ${name} is ${String(value)}; it must be an integer of at least ${least}`,
  );
}
