/** The error of `@franca/rasa`: a code for programs, a message for people. */
import type { RasaFit } from './result';

/**
 * What went wrong: `shape` (sizes that do not belong together), `options`, `source` (features that are missing or not finite), `weights` (heads that span
 * no plane), `not-learned` (a head that reads far less than could be read).
 */
export type RasaErrorCode = 'shape' | 'options' | 'source' | 'weights' | 'not-learned';

export class RasaError extends Error {
  readonly code: RasaErrorCode;
  /** What was fitted before this, where something was: its planes can be used. */
  declare readonly fit?: RasaFit;

  constructor(code: RasaErrorCode, message: string, options: ErrorOptions & { readonly fit?: RasaFit } = {}) {
    super(message, options);
    this.name = 'RasaError';
    this.code = code;
    if (options.fit) this.fit = options.fit;
  }
}
