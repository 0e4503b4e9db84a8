/** The error of `@franca/losses`: a code for programs, a message for people. */

/** What went wrong. */
export type LossErrorCode = 'shape' | 'options';

export class LossError extends Error {
  readonly code: LossErrorCode;

  constructor(code: LossErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LossError';
    this.code = code;
  }
}
