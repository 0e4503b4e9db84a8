/** The error of `@franca/matryoshka-heads`: a code for programs, a message for people. */

/** What went wrong. */
export type HeadErrorCode = 'config' | 'weights';

export class HeadError extends Error {
  readonly code: HeadErrorCode;

  constructor(code: HeadErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HeadError';
    this.code = code;
  }
}
