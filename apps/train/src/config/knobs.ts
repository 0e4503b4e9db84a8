/** Values of the schedules at an iteration (Franca section 4; official scheduler): what changes from step to step. */
import { cosine, linearRamp } from '@franca/nn';
import type { Schedule } from './pretrain-options';

export interface ScheduledKnobs {
  readonly lr: number;
  readonly lastLayerLr: number;
  readonly weightDecay: number;
  readonly momentum: number;
  readonly teacherTemp: number;
}

/** The schedules as one function of the iteration. */
export function scheduledKnobs(schedule: Schedule): (iteration: number) => ScheduledKnobs {
  const { iterations: total, warmup, lr: base, minLr: final } = schedule;
  const lr = cosine({ base, final, total, warmup });
  const lastLayerLr = cosine({ base, final, total, warmup, freeze: schedule.freezeLastLayer });
  const between = ([start, end]: readonly [number, number]) => cosine({ base: start, final: end, total });
  const [weightDecay, momentum] = [between(schedule.weightDecay), between(schedule.momentum)];
  const teacherTemp = linearRamp(...schedule.teacherTemp, schedule.teacherTempWarmup);
  return (iteration) => ({
    lr: lr(iteration),
    lastLayerLr: lastLayerLr(iteration),
    weightDecay: weightDecay(iteration),
    momentum: momentum(iteration),
    teacherTemp: teacherTemp(iteration),
  });
}
