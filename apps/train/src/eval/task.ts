/** What an evaluation is to the command line: a name, the data it reads, its options, and what it computes. */
import type { EvalRecord } from '@franca/evals';
import type { ReportSection } from '@franca/viz';
import type { Command } from 'commander';
import type { EvalContext } from './context';

export interface EvalResult {
  readonly records: readonly EvalRecord[];
  /** What the page shows of it besides the table. */
  readonly section?: Omit<ReportSection, 'title'>;
}

export interface RunnableTask {
  /** On the command line. */
  readonly name: string;
  readonly about: string;
  /** Runs with the values of its own options; all are optional. */
  run(context: EvalContext, options: Readonly<Record<string, unknown>>): Promise<EvalResult>;
}

/** An evaluation that is run a second time, on patch tokens with the planes removed. */
export interface SecondRun {
  readonly options: Readonly<Record<string, unknown>>;
  /** What of it is left out the second time, in words. */
  readonly limited?: string;
}

/** What a file of `tasks/` exports as `task`. */
export interface EvalTask extends RunnableTask {
  /** The features that it asks its context for, by the names there. */
  readonly reads: 'images' | 'labelled' | 'patches' | 'segmentation' | 'pairs' | 'boxes' | 'nothing';
  /** CLS tokens of so many last blocks that it reads of an image; default 1. */
  readonly blocks?: number;
  /** Side of the input in pixels that the task wants with these options, to the nearest whole patches; `--size` wins. */
  readonly inputSize?: (options: Readonly<Record<string, unknown>>) => number | undefined;
  /** What `eval all` does with it where there are planes of RASA; absent where no patch token is read. */
  readonly rasa?: SecondRun | { readonly leftOut: string };
  /** Place in `eval all`; without one it comes last. */
  readonly order?: number;
  /** Adds the task's own options. */
  readonly options: (command: Command) => Command;
}
