/** What comes of the page of the check of browsers. */

/** Outcomes by what gave them. */
export type Numbers = Record<string, number[]>;

/** What the logits of the classifier are called among them. */
export const CLASSIFIED = 'DeiT-Tiny from its file to classes';

/** What the page leaves behind. */
export interface PageOutcome {
  readonly adapter?: string;
  readonly family?: string;
  /** Code of the error of a lost device. */
  readonly lost?: string;
  readonly numbers?: Numbers;
  readonly milliseconds?: number;
  /** Code and message of what was thrown. */
  readonly error?: string;
}
