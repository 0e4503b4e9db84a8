/**
 * How many steps may wait in the queue of the device. On a GPU one is submitted while the one before it still runs: its inputs are uploaded and its kernels
 * encoded meanwhile, so that the device need not wait for either. Never more: the queue stays short, and its memory with it. Commands run in the order of their
 * submission, so nothing that is computed or read depends on it. A software adapter shares the processor with this program and gains nothing; a step that
 * exchanges values with other ranks is not submitted all at once, and is waited for.
 */
import type { Communicator } from '@franca/collective';
import type { CompiledPretrainStep } from '@franca/pretraining';

export interface StepsInFlight {
  /** Resolves when the next step may be submitted. */
  room(): Promise<void>;
  /** A step was submitted. */
  submitted(): void;
}

export function stepsInFlight(
  step: Pick<CompiledPretrainStep, 'done' | 'plan'>,
  { size }: Pick<Communicator, 'size'>,
): StepsInFlight {
  const isAhead = size === 1 && step.plan.target.family === 'gpu';
  if (!isAhead) return { room: () => step.done(), submitted: () => {} };
  let [before, last] = [Promise.resolve(), Promise.resolve()];
  return {
    room: () => before,
    submitted() {
      before = last;
      last = step.done();
      // what it fails with is thrown where it is waited for
      last.catch(() => {});
    },
  };
}
