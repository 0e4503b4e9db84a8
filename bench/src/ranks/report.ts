/** What the processes of a benchmark of ranks are asked for, and what they report. */
import type { ExchangeTime } from './measure-exchanges';
import type { StagingTimes } from './measure-staging';

/** Before the line of JSON that rank 0 prints. */
export const REPORT_MARK = 'report of rank 0: ';

export interface RankJob {
  readonly models: readonly {
    readonly name: string;
    /** Of cpu-tiny. */
    readonly overrides: readonly string[];
    /** How many times as long kernels are expected to take as the adapter's rates say. */
    readonly slowness: number;
  }[];
  /** Of each step. */
  readonly runs: number;
}

export interface StepTimes {
  readonly name: string;
  /** The median run, and the fastest. */
  readonly seconds: number;
  readonly fastest: number;
  readonly expected: {
    readonly seconds: number;
    readonly computeSeconds: number;
    readonly exposedSeconds: number;
    readonly communicationSeconds: number;
  };
  readonly exchanges: number;
  /** That a rank sends to others. */
  readonly bytes: number;
}

export interface RankReport {
  readonly ranks: number;
  readonly adapter: string;
  readonly staging: readonly StagingTimes[];
  readonly exchanges: readonly ExchangeTime[];
  /** Rates that follow from these, as `packages/tensor/src/plan/timeline.ts` takes them. */
  readonly rates: Readonly<Record<string, number>>;
  readonly steps: readonly StepTimes[];
  readonly otherLoad: number;
}
