/** How a set-up ends early: for a reason that is the user's to put right, or because the user ended it. */

/** What went wrong; the message says in one line what to do. */
export class SetupError extends Error {}

/** Ctrl-C, or a signal that asks for the end. */
export class Interrupted extends Error {
  constructor(signal) {
    super(signal);
    this.signal = signal;
  }
}
