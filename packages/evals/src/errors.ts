/** What went wrong in an evaluation, as a code for programs. */
export type EvalsErrorCode = 'bad-features' | 'bad-labels' | 'bad-option';

/** Every refusal of this package: what happened, with the offending values, and how to put it right. */
export class EvalsError extends Error {
  override readonly name = 'EvalsError';

  constructor(
    readonly code: EvalsErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Refuses an option outside its range. */
export function checkOption(valid: boolean, message: string): void {
  if (!valid) throw new EvalsError('bad-option', message);
}
