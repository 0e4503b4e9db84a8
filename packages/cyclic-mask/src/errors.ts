/** The error of `@franca/cyclic-mask`: a code for programs, a message for people. */

/** What went wrong. */
export type CyclicMaskErrorCode = 'grid' | 'count' | 'ratio' | 'batch' | 'options' | 'random' | 'mask';

export class CyclicMaskError extends Error {
  readonly code: CyclicMaskErrorCode;

  constructor(code: CyclicMaskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CyclicMaskError';
    this.code = code;
  }
}
