export type VitErrorCode = 'config' | 'image-size' | 'weights';

/** The error of `@franca/vit`. */
export class VitError extends Error {
  readonly code: VitErrorCode;
  constructor(code: VitErrorCode, message: string) {
    super(message);
    this.name = 'VitError';
    this.code = code;
  }
}
