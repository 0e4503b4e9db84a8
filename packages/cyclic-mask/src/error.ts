/** What a `CyclicMaskError` is about. */
export type CyclicMaskErrorCode =
  | 'BAD_GRID'
  | 'BAD_COUNT'
  | 'BAD_RATIO'
  | 'BAD_BATCH'
  | 'BAD_OPTION'
  | 'BAD_RANDOM'
  | 'BAD_MASK';

/** Bad input, refused before any work: the message names the offending value and what is accepted. */
export class CyclicMaskError extends Error {
  override readonly name = 'CyclicMaskError';
  readonly code: CyclicMaskErrorCode;

  constructor(code: CyclicMaskErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
