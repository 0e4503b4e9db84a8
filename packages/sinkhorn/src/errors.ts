/** The error of `@franca/sinkhorn`: a code for programs, a message for people. */

/** What went wrong. */
export type SinkhornErrorCode = 'shape' | 'options' | 'not-finite';

export class SinkhornError extends Error {
  readonly code: SinkhornErrorCode;

  constructor(code: SinkhornErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SinkhornError';
    this.code = code;
  }
}
