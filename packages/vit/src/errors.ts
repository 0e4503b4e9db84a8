/** The error of `@franca/vit`: a code for programs, a message for people. */

/** What went wrong. */
export type VitErrorCode = 'config' | 'heads' | 'image-size' | 'weights';

export class VitError extends Error {
  readonly code: VitErrorCode;

  constructor(code: VitErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VitError';
    this.code = code;
  }
}
