/** The official schedules: learning rates, weight decay, teacher momentum and temperature by iteration; and a backbone that is frozen at first. */
import { cosine, linearRamp } from '@franca/nn';
import type { Schedule } from './options';

/** Values at an iteration, knobs of the step. */
export interface ScheduledValues {
  readonly lr: number;
  /** Learning rate of the prototypes. */
  readonly lastLayerLr: number;
  /** Of the backbone, where it is frozen at first; else it is `lr`. */
  readonly backboneLr?: number;
  readonly weightDecay: number;
  /** Of the teacher. */
  readonly momentum: number;
  readonly teacherTemp: number;
}

/** The schedules of a run as one function of the iteration, counted from 0. */
export function schedules(schedule: Schedule): (iteration: number) => ScheduledValues {
  const { iterations: total, warmup, freezeLastLayer: freeze, freezeBackbone } = schedule;
  const rate = { base: schedule.lr, final: schedule.minLr, total, warmup };
  const lr = cosine(rate);
  const lastLayerLr = cosine({ ...rate, freeze });
  const thawed = cosine({ ...rate, total: total - freezeBackbone });
  const backboneLr = (iteration: number) => (iteration < freezeBackbone ? 0 : thawed(iteration - freezeBackbone));
  const weightDecay = cosine({ base: schedule.weightDecay[0], final: schedule.weightDecay[1], total });
  const momentum = cosine({ base: schedule.momentum[0], final: schedule.momentum[1], total });
  const teacherTemp = linearRamp(...schedule.teacherTemp, schedule.teacherTempWarmup);
  return (iteration) => ({
    lr: lr(iteration),
    lastLayerLr: lastLayerLr(iteration),
    ...(freezeBackbone > 0 ? { backboneLr: backboneLr(iteration) } : {}),
    weightDecay: weightDecay(iteration),
    momentum: momentum(iteration),
    teacherTemp: teacherTemp(iteration),
  });
}
