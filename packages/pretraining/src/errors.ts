/** The error of `@franca/pretraining`: options that do not go together. */
export type PretrainErrorCode = 'options';

/** `code` for programs; the message names the offending values and what to give instead. */
export class PretrainError extends Error {
  readonly code: PretrainErrorCode;
  constructor(code: PretrainErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PretrainError';
    this.code = code;
  }
}
