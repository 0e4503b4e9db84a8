export type TrainErrorCode = 'config' | 'usage' | 'file' | 'data' | 'device' | 'run';

/** The error of `franca-train`: `code` for programs, a message that says what happened, with which values, and how to fix it. */
export class TrainError extends Error {
  readonly code: TrainErrorCode;
  constructor(code: TrainErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TrainError';
    this.code = code;
  }
}
