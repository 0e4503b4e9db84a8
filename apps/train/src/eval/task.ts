/** What an evaluation is to the command line: a name, the data it reads, its options, and what it computes. */
import type { EvalRecord } from '@franca/evals';
import type { ReportSection } from '@franca/viz';
import type { Command } from 'commander';
import type { EvalContext } from './context';
import type { CostQuestion, TaskCost } from './estimate/task-cost';
import type { GivenOptions, IdleOptions } from './idle-options';

export interface EvalResult {
  readonly records: readonly EvalRecord[];
  /** What the page shows of it besides the table. */
  readonly section?: Omit<ReportSection, 'title'>;
  /** What of it failed, and is told already: the command fails at the end. */
  readonly failed?: readonly string[];
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
  /** The features that it asks its context for, by the names there; `published`: of data sets that it opens itself, with their parts and names. */
  readonly reads:
    | 'images'
    | 'labelled'
    | 'published'
    | 'patches'
    | 'segmentation'
    | 'pairs'
    | 'boxes'
    | 'videos'
    | 'depth'
    | 'nothing';
  /** What is opened where `--data` is not given, and the run's own data need not be there. */
  readonly withoutData?: (options: Readonly<Record<string, unknown>>) => string | undefined;
  /** CLS tokens of so many last blocks that it reads of an image; default 1. */
  readonly blocks?: number;
  /** Side of the input in pixels that the task wants with these options, to the nearest whole patches; `--size` wins. */
  readonly inputSize?: (options: Readonly<Record<string, unknown>>) => number | undefined;
  /** Which options have no effect beside those that are given: they are refused at the start. */
  readonly idle?: (options: GivenOptions) => IdleOptions;
  /** What `eval all` does with it where there are planes of RASA; absent where no patch token is read. */
  readonly rasa?: SecondRun | { readonly leftOut: string };
  /** Place in `eval all`; without one it comes last. */
  readonly order?: number;
  /** With which options `eval all` runs it, where it has quicker ones than the usual. */
  readonly inAll?: Readonly<Record<string, unknown>>;
  /** What it costs, for `--estimate`; without it that is said to be unknown. */
  cost?(question: CostQuestion, options: Readonly<Record<string, unknown>>): Promise<TaskCost>;
  /** Only by itself, as it is another evaluation on sets of its own: `eval all` leaves it out. */
  readonly alone?: boolean;
  /** Adds the task's own options. */
  readonly options: (command: Command) => Command;
}
