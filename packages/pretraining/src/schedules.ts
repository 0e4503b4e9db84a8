/** Values of the schedules at an iteration. */
import { cosine, linearRamp } from '@franca/nn';
import type { Schedule } from '../config/pretrain-options';

export interface ScheduledValues {
  readonly lr: number;
  readonly lastLayerLr: number;
  readonly weightDecay: number;
  readonly momentum: number;
  readonly teacherTemp: number;
}

/** The schedules of a run as one function of the iteration. */
export function schedules({
  iterations: total,
  warmup,
  freezeLastLayer,
  lr,
  minLr,
  weightDecay,
  momentum,
  teacherTemp,
  teacherTempWarmup,
}: Schedule): (iteration: number) => ScheduledValues {
  const rate = { base: lr, final: minLr, total, warmup };
  const all = {
    lr: cosine(rate),
    lastLayerLr: cosine({ ...rate, freeze: freezeLastLayer }),
    weightDecay: cosine({ base: weightDecay[0], final: weightDecay[1], total }),
    momentum: cosine({ base: momentum[0], final: momentum[1], total }),
    teacherTemp: linearRamp(teacherTemp[0], teacherTemp[1], teacherTempWarmup),
  };
  return (iteration) =>
    Object.fromEntries(
      Object.entries(all).map(([name, schedule]) => [name, schedule(iteration)]),
    ) as unknown as ScheduledValues;
}
