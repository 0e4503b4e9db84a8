/**
 * Running a plan: its submits one after the other. Where ranks exchange values, a run goes on in the background. A submit that takes in what comes back waits
 * for it; everything before it has been submitted by then, so that the device has work while values travel.
 */
import { TensorError } from '../base/errors';
import { exchangesOf } from '../plan/exchanges';
import type { Plan, PlannedExchange } from '../plan/plan-types';
import { holdForRun, refuseDuringRun, runAtHand } from './at-hand';
import type { EncodeSteps } from './encoder';
import type { Exchanges } from './exchanges';
import type { Submit } from './submits';

/** Submits steps, and exchanges what they send; `finish` adds to the last submit. Resolves when that is made, not when it has run. */
export type Perform = (
  submits: readonly Submit[],
  encode: EncodeSteps,
  finish?: (encoder: GPUCommandEncoder) => void,
) => Promise<void>;

export interface PlanRunner {
  readonly perform: Perform;
  /** Throws `TensorError` with code `state` while a run goes on, of this step or of another that shares its state or ranks, and after one that failed. */
  refuseIfBusy(): void;
  /** Does the work of a run, by `perform`; it is the run at hand until it is over. */
  start<T>(work: () => Promise<T>): Promise<T>;
  /** Looks at what the last run left, when that is over. Rejects if it failed. */
  afterRun<T>(look: () => Promise<T>): Promise<T>;
  /** Ends a run at hand; resolves when no rank uses its memory any more, undefined where that is so already. */
  close(): Promise<unknown> | undefined;
}

export interface RunnerParts {
  readonly device: GPUDevice;
  readonly plan: Plan;
  readonly exchanges: Exchanges;
  /** The first value of a knob in the run at hand. */
  readonly knob: (name: string) => number;
  /** Names the step in messages. */
  readonly owner: string;
  /** State and ranks that a run has for itself. */
  readonly used: readonly object[];
}

export function planRunner({ device, plan, exchanges, knob, owner, used }: RunnerParts): PlanRunner {
  const waits = exchangesOf(plan).length > 0;
  const self = {};
  let failure: { readonly error: unknown } | undefined;
  let isClosed = false;

  /** Of the halves of exchanges `from` to `to`, those that take place in this run. */
  const takePlace = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, i) => from + i).filter((step) => {
      const { when } = exchangeAt(plan, step);
      return when === undefined || knob(when) !== 0;
    });
  const indexAt = (step: number): number => exchangeAt(plan, step).index;

  function submit(encodeSteps: (encoder: GPUCommandEncoder) => void): void {
    if (isClosed) throw new TensorError('state', `${owner} was disposed during a run`);
    const encoder = device.createCommandEncoder();
    encodeSteps(encoder);
    device.queue.submit([encoder.finish()]);
  }

  const submitAll: Perform = async (submits, encode, finish) => {
    for (const [i, { from, computesFrom, computesTo, to }] of submits.entries()) {
      // each is copied when it is there, while the next one still travels
      for (const step of takePlace(from, computesFrom)) {
        await exchanges.arrival(indexAt(step));
        submit((encoder) => encode(encoder, step, step + 1));
        exchanges.received(indexAt(step));
      }
      const sends = takePlace(computesTo, to);
      submit((encoder) => {
        encode(encoder, computesFrom, computesTo);
        for (const step of sends) encode(encoder, step, step + 1);
        if (i === submits.length - 1) finish?.(encoder);
      });
      for (const step of sends) exchanges.send(indexAt(step));
    }
  };

  const close = (): Promise<unknown> | undefined => {
    isClosed = true;
    exchanges.close();
    return runAtHand(self)?.over.catch(() => {});
  };

  return {
    async perform(submits, encode, finish) {
      try {
        await submitAll(submits, encode, finish);
      } catch (error) {
        failure ??= { error };
        close();
        await exchanges.settled();
        throw error;
      }
    },
    refuseIfBusy() {
      for (const one of [self, ...used]) refuseDuringRun(one);
      if (!failure) return;
      const said = failure.error instanceof Error ? failure.error.message : String(failure.error);
      throw new TensorError(
        'state',
        `${owner} failed in the middle of a run, and its state is half updated: ${said}; dispose of it, and go on from what was saved`,
        { cause: failure.error },
      );
    },
    start(work) {
      const over = work();
      if (!waits) return over;
      over.catch(() => {});
      holdForRun([self, ...used], { owner, over });
      return over;
    },
    async afterRun(look) {
      const run = runAtHand(self);
      if (run) await run.over;
      if (failure) throw failure.error;
      return look();
    },
    close,
  };
}

function exchangeAt({ steps }: Plan, at: number): PlannedExchange {
  const step = steps[at]!;
  if (step.kind !== 'send' && step.kind !== 'receive')
    throw new TensorError('argument', `internal: step ${at} is no half of an exchange`);
  return step.exchange;
}
