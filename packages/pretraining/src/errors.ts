/** The error of `@franca/pretraining`: options that do not go together, weights that are not those of a network. */
export type PretrainErrorCode = 'options' | 'weights';

/** `code` for programs; the message names the offending values and what to give instead. */
export class PretrainError extends Error {
  readonly code: PretrainErrorCode;
  constructor(code: PretrainErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PretrainError';
    this.code = code;
  }
}
