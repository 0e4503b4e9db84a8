/** What an evaluation returns: a number with all that is needed to compare or repeat it, as plain JSON. */
import { checkArgument, EvalsError } from './errors';

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * What hyper-parameters (a learning rate, C, k, a checkpoint) were chosen on. `nothing`: there was nothing to choose.
 * `test`: on the very items that are reported, which flatters the number; some official protocols do.
 */
export type SelectedOn = 'nothing' | 'train-holdout' | 'validation' | 'test';

/**
 * What each test item gave, in the order of the test set, so that two models can be compared item by item. Values are base64 of
 * little-endian numbers; `compare/` writes and reads them.
 */
export interface ItemResults {
  /**
   * `hits`: one bit an item, of whose mean the value is made. `values`: one f32 an item, the same. `scores`: one f32 an item, those of
   * the first `inside` items are known classes, of the others foreign. `counts`: for each item the counts that a pooled mean IoU is made of.
   */
  readonly kind: 'hits' | 'values' | 'scores' | 'counts';
  readonly items: number;
  readonly inside?: number;
  readonly data: string;
  /** Hash of the items' names in order, where the caller knows them: only results on the same items are paired. */
  readonly of?: string;
}

/** What an evaluation itself knows about its number. */
export interface Outcome {
  /** Which evaluation, such as `knn`. */
  readonly task: string;
  /** Which variant of it: a name, not a number. */
  readonly protocol: string;
  /** What sets this result apart from the others of the same run, such as `width 96`; empty where there is one only. */
  readonly variant: string;
  /** Items (images, pixels, tokens) that the value is made of, and how many there were to evaluate. */
  readonly evaluated: number;
  readonly total: number;
  readonly metric: string;
  /** The number. Shares and accuracies are in `[0, 1]`. */
  readonly value: number;
  /** `share`: a fraction that a table prints in percent. `number`: printed as it is. */
  readonly unit: 'share' | 'number';
  /** Further numbers of the same run, by name. */
  readonly others: Readonly<Record<string, number>>;
  /** The metric for each class, where it has one; `null` for a class that does not occur. */
  readonly perClass: readonly (number | null)[];
  /** What each item gave; absent where the value is not made of items. */
  readonly items?: ItemResults;
  readonly hyper: Readonly<Record<string, Json>>;
  readonly selectedOn: SelectedOn;
  readonly seeds: readonly number[];
  /** Whether known slips of the reference protocol were reproduced. */
  readonly quirks: boolean;
  readonly wallMs: number;
}

/** What only the caller knows: whose features these are. */
export interface Subject {
  readonly dataset: string;
  readonly split: string;
  /** The model and its output, such as `DeiT-Tiny/16 cls`. */
  readonly features: string;
  /** How pixels became the model's input, such as `resize 256 bicubic, crop 224, ImageNet mean/std`. */
  readonly preprocessing: string;
  /** What was assumed, guessed or left out, in words: everything that makes the number differ from what its name promises. */
  readonly notes?: readonly string[];
}

/** One result, complete enough to be compared or repeated; plain JSON. */
export type EvalRecord = Subject & Outcome;

/**
 * Joins an outcome with the data and model that it is about.
 *
 * @throws EvalsError `options` when a number in it is not finite, since JSON would silently turn it into null.
 */
export function evalRecord(subject: Subject, outcome: Outcome): EvalRecord {
  checkRecord(subject, outcome);
  const numbers = { value: outcome.value, ...outcome.others };
  const bad = Object.entries(numbers).find(([, value]) => !Number.isFinite(value));
  if (bad) {
    throw new EvalsError(
      'options',
      `${outcome.task} on ${subject.dataset}: ${bad[0]} is ${bad[1]}, which a record cannot hold`,
    );
  }
  return { ...subject, ...outcome };
}

/** A record that lacks what it is about cannot be compared with any other. */
function checkRecord(subject: Subject, outcome: Outcome): void {
  checkArgument('evalRecord', 'subject', subject, 'object');
  checkArgument('evalRecord', 'outcome', outcome, 'object');
  for (const name of ['dataset', 'split', 'features', 'preprocessing'] as const)
    checkArgument('evalRecord', `subject.${name}`, subject[name], 'string');
  for (const name of ['task', 'metric'] as const)
    checkArgument('evalRecord', `outcome.${name}`, outcome[name], 'string');
  checkArgument('evalRecord', 'outcome.others', outcome.others, 'object');
}

/** Milliseconds since `start`, a value of `performance.now()`. */
export function elapsed(start: number): number {
  return performance.now() - start;
}
