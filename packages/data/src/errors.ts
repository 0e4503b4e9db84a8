/**
 * The one error class of this package.
 *
 * Two kinds of trouble need two answers. An image that cannot be used is skipped, counted and named (`isImageError`; `unreadable-now` where another attempt may read it);
 * anything else (a data set that is not there, a damaged index, no network) ends the call that met it.
 */

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
