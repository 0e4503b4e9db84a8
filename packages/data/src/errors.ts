/**
 * The one error class of this package.
 *
 * Two kinds of trouble need two answers. An image that cannot be used is skipped, counted and named (`isImageError`);
 * anything else (a data set that is not there, a damaged index, no network) ends the call that met it.
 */

const IMAGE_CODES = ['EMPTY_FILE', 'NOT_AN_IMAGE', 'CORRUPT_IMAGE', 'IMAGE_TOO_LARGE', 'UNREADABLE_IMAGE'] as const;

/** Why one image cannot be used. */
export type ImageErrorCode = (typeof IMAGE_CODES)[number];

/** Every `code` that a `DataError` can carry. */
export type DataErrorCode =
  | ImageErrorCode
  | 'AMBIGUOUS_SOURCE'
  | 'BAD_ARGUMENT'
  | 'BAD_CHECKSUM'
  | 'BAD_SPEC'
  | 'CURSOR_MISMATCH'
  | 'DAMAGED_FILE'
  | 'DISK_FULL'
  | 'EMPTY_SOURCE'
  | 'HTTP_STATUS'
  | 'NOT_FOUND'
  | 'NO_NETWORK'
  | 'NO_RANGE'
  | 'TOO_MANY_BAD_IMAGES'
  | 'UNSUPPORTED_FORMAT';

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
