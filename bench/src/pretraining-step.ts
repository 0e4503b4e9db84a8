/** The step of a preset, compiled with its state, a batch and the schedule's first values: what benchmarks run. */
import {
  type CompiledPretrainStep,
  type FittedStep,
  initialisePretraining,
  type PretrainGroups,
  type PretrainOptions,
  pretrainGroups,
  pretrainSignature,
  pretrainStep,
} from '@franca/pretraining';
import { compile, createState, type Gpu, type Ranks, type State } from '@franca/tensor';
import { makeBatch, type Named } from './torch/batch';

export type Knobs = Readonly<
  Record<'lr' | 'lastLayerLr' | 'weightDecay' | 'momentum' | 'teacherTemp' | 'nMasked', number>
>;

const SEED = 1;

/** The values of a first update that is past its warm-up. */
const knobsOf = ({ schedule, masks }: PretrainOptions): Knobs => ({
  lr: schedule.lr,
  lastLayerLr: schedule.lr,
  weightDecay: schedule.weightDecay[0],
  momentum: schedule.momentum[0],
  teacherTemp: schedule.teacherTemp[0],
  nMasked: masks.bound,
});

export interface OpenStep extends Disposable {
  readonly state: State<PretrainGroups>;
  readonly step: CompiledPretrainStep;
  readonly batch: Named;
  readonly knobs: Knobs;
}

/** Compiles a step, of one of `ranks` where these are given; the weights that it begins with are the same every time. */
export async function openStep(gpu: Gpu, { options, chunks }: FittedStep, ranks?: Ranks): Promise<OpenStep> {
  const state = createState(gpu, pretrainGroups(options));
  try {
    await initialisePretraining(gpu, state, options, SEED);
    const step = await compile(gpu, pretrainStep(options, chunks), {
      ...pretrainSignature(options),
      state,
      ...(ranks && { ranks }),
    });
    return {
      state,
      step,
      batch: makeBatch(options),
      knobs: knobsOf(options),
      [Symbol.dispose]() {
        step.dispose();
        state.dispose();
      },
    };
  } catch (error) {
    state.dispose();
    throw error;
  }
}
