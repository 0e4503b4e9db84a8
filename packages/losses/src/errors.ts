export type LossErrorCode = 'shape';

/** The error of `@franca/losses`. */
export class LossError extends Error {
  readonly code: LossErrorCode;
  constructor(code: LossErrorCode, message: string) {
    super(message);
    this.name = 'LossError';
    this.code = code;
  }
}
