/** What goes wrong in `franca-train`: wrong settings or usage, files, data, devices, runs; or the user ended it. */
export type TrainErrorCode = 'config' | 'usage' | 'file' | 'data' | 'device' | 'run' | 'interrupted';

/** `code` for programs; the message says what happened, with which values, and how to fix it. */
export class TrainError extends Error {
  readonly code: TrainErrorCode;
  constructor(code: TrainErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TrainError';
    this.code = code;
  }
}
