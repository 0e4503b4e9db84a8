/** What a `CyclicMaskError` is about. */
export type CyclicMaskErrorCode =
  | 'bad-grid'
  | 'bad-count'
  | 'bad-ratio'
  | 'bad-batch'
  | 'bad-option'
  | 'bad-random'
  | 'bad-mask';

/** Bad input, refused before any work: the message names the offending value and what is accepted. */
export class CyclicMaskError extends Error {
  override readonly name = 'CyclicMaskError';
  readonly code: CyclicMaskErrorCode;

  constructor(code: CyclicMaskErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
