/** `--profile`: the kernels of the third step by time, and where the ten steps after it spend theirs. Without it steps just run. */
import type { CompiledPretrainStep } from '@franca/pretraining';
import { knownRates, withRates } from '../doctor/rates';
import type { ObservedRun } from '../observe/observed-run';
import { createPhaseTimes } from './phase-times';
import { profileRows, profileTable } from './profile-table';

/** The step that is looked into, counted from where the process starts, and the steps after it that are timed as a whole. */
const PROFILED_STEP = 3;
const TIMED_STEPS = 10;

type RunArguments = Parameters<CompiledPretrainStep['run']>;

export interface Profiler {
  /** Ends the phase of the loop that has run since the last call. */
  end(phase: string): void;
  /** Forgets the phases so far. */
  restart(): void;
  /** Runs a micro-step by its number in the run; the last one of the profiled step kernel by kernel. */
  run(microStep: number, ...values: RunArguments): Promise<void>;
  /** Says where the timed steps spent their time, once they or the run are over. */
  describe(at: number, last: number): void;
}

/** @param first steps before the first one of this process */
export function createProfiler(
  { gpu, options, step, progress }: Pick<ObservedRun, 'gpu' | 'options' | 'step' | 'progress'>,
  { first, enabled }: { readonly first: number; readonly enabled: boolean },
): Profiler {
  const phases = createPhaseTimes();
  const profiled = (first + PROFILED_STEP) * options.batch.accumulation - 1;
  return {
    end: phases.end,
    restart: phases.restart,
    async run(microStep, ...values) {
      if (!enabled || microStep !== profiled) return step.run(...values);
      const rates = await knownRates(gpu.target.name);
      const target = withRates(gpu.target, rates, options.precision);
      progress.message(profileTable(profileRows(await step.profile(...values), step.plan, target), target));
      phases.restart();
    },
    describe(at, last) {
      const timed = at - first - PROFILED_STEP;
      if (enabled && timed > 0 && (timed === TIMED_STEPS || (at === last && timed < TIMED_STEPS)))
        progress.message(phases.describe(timed));
    },
  };
}
