/** What a `SinkhornError` is about. */
export type SinkhornErrorCode = 'bad-shape' | 'bad-option' | 'not-finite';

/** Bad input, refused before any work: the message names the offending value and what is accepted. */
export class SinkhornError extends Error {
  override readonly name = 'SinkhornError';
  readonly code: SinkhornErrorCode;

  constructor(code: SinkhornErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
