/** The error of `@franca/collective`: a code for programs, a message for people. */

/** What went wrong. */
export type CollectiveErrorCode =
  /** Arrays that do not fit, a root that there is not, ranks that do not call the same. */
  | 'argument'
  /** An option that there is not, or cannot be so. */
  | 'options'
  /** A communicator that was closed. */
  | 'closed'
  /** No MPI library, or not that of the launcher. */
  | 'library'
  /** Ranks that run different versions. */
  | 'version'
  /** A rank that did not come, has closed, or is gone. */
  | 'rank'
  /** What MPI itself reports. */
  | 'mpi';

export class CollectiveError extends Error {
  readonly code: CollectiveErrorCode;

  constructor(code: CollectiveErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CollectiveError';
    this.code = code;
  }
}
