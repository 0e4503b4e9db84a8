export type HeadErrorCode = 'config' | 'weights';

/** The error of `@franca/matryoshka-heads`. */
export class HeadError extends Error {
  readonly code: HeadErrorCode;
  constructor(code: HeadErrorCode, message: string) {
    super(message);
    this.name = 'HeadError';
    this.code = code;
  }
}
