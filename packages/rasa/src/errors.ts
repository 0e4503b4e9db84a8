/** The error of `@franca/rasa`: a code for programs, a message for people. */

/** What went wrong. */
export type RasaErrorCode = 'shape' | 'options' | 'weights';

export class RasaError extends Error {
  readonly code: RasaErrorCode;

  constructor(code: RasaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RasaError';
    this.code = code;
  }
}
