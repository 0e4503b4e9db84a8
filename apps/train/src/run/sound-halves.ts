/**
 * Whether the adapter's f16 can be trained with. Drivers offer f16 that some of their kernels get wrong: before the first run with it every f16 kernel of the step is
 * checked against the same in f32, on a device of its own. Where one is wrong, `franca.precision=auto` is f32, and f16 is refused.
 */
import type { Distillation, RankOf } from '@franca/pretraining';
import { checkHalfKernels, type Gpu, halfKernelTexts, type Plan } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { derive } from '../config/derive';
import type { Machine } from '../config/derived-options';
import type { TrainConfig } from '../config/train-config';
import { type HalfVerdict, judge, keepVerdict, readVerdict, verdictPath } from '../doctor/half-verdict';
import { TrainError } from '../errors';
import type { Warming } from '../observe/teacher-reading';
import { planPretraining } from '../plan/plan-pretraining';
import { warming } from './warming';

interface MachineOptions {
  /** As it was asked for. */
  readonly adapter: string | undefined;
  readonly note: (text: string) => void;
  readonly ranks?: RankOf;
  /** A frozen teacher, whose kernels are checked as well. */
  readonly teacher?: Distillation | undefined;
  readonly warming?: Warming;
}

/** The machine that a configuration is worked out for: with f16 where the GPU has it and gets it right. */
export async function machineOf(
  config: TrainConfig,
  gpu: Gpu,
  { adapter, note, ranks = { rank: 0, size: 1 }, warming: warm = warming, teacher }: MachineOptions,
): Promise<Machine> {
  const hasHalves = gpu.target.family === 'gpu' && gpu.target.f16;
  const machine: Machine = { size: ranks.size, rank: ranks.rank, f16: hasHalves, teacher };
  const plan = hasHalves ? planWithHalves(config, machine, gpu) : undefined;
  if (!plan) return machine;
  const path = verdictPath(gpu.target.name, halfKernelTexts(plan));
  const { sound, text } = judge((await readVerdict(path)) ?? (await check(plan, path, { adapter, warm })), path);
  if (sound) note(text);
  else if (config.franca.precision === 'f16')
    throw new TrainError('device', `${text}; use franca.precision=f32, or another driver`);
  else note(`warning: ${text}; the run computes in f32`);
  return { ...machine, f16: sound };
}

/** The plan that training would run in f16; undefined where it computes in f32, or cannot be planned, which is told later. */
function planWithHalves(config: TrainConfig, machine: Machine, { target }: Gpu): Plan | undefined {
  try {
    const options = derive(config, machine);
    return options.precision === 'f16' ? planPretraining(options, target) : undefined;
  } catch {
    return undefined;
  }
}

/** The device of the run stays out of it: a wrong kernel may take its device down. */
async function check(
  plan: Plan,
  path: string,
  { adapter, warm }: { readonly adapter: string | undefined; readonly warm: Warming },
): Promise<HalfVerdict> {
  await using gpu = await openGpu({ robustness: false, tuning: false, ...(adapter ? { adapter } : {}) });
  let verdict: HalfVerdict | undefined;
  await warm(async (events) => {
    verdict = await keepVerdict(path, gpu.target.name, () => checkHalfKernels(gpu, plan, events));
  });
  return verdict!;
}
