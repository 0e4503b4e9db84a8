export type RasaErrorCode = 'shape' | 'options' | 'weights';

/** The error of `@franca/rasa`. */
export class RasaError extends Error {
  readonly code: RasaErrorCode;
  constructor(code: RasaErrorCode, message: string) {
    super(message);
    this.name = 'RasaError';
    this.code = code;
  }
}
