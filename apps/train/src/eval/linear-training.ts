/** What the evaluations that train a linear layer have in common. */
import { Option } from 'commander';

export type Selection = 'train-holdout' | 'test';

/** `what`: the thing that is chosen, as the beginning of "... chosen on". */
export const selectOption = (what: string): Option =>
  new Option('--select <set>', `what ${what} chosen on (default: a tenth of train)`).choices(['train-holdout', 'test']);

/** Images per step: 128, less where that is over an eighth of `images`, since an epoch needs some steps. */
export const probeBatch = (images: number): number => Math.min(128, Math.max(1, images >> 3));

/** Features of train that are held; of more, pools are. */
export const PROBE_BYTES: number = 2 ** 31;
