/** The error of `@franca/losses`: a code for programs; a message for people, with the offending values and the way out. */

/** What went wrong. */
export type LossErrorCode = 'shape';

export class LossError extends Error {
  readonly code: LossErrorCode;

  constructor(code: LossErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LossError';
    this.code = code;
  }
}
