import { expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../test/support/parity';
import { cosine, linearRamp, scaledLearningRate } from './schedules';

// Values are stored as f32: relative 1e-6; momentum absolute 1e-7.
test.each(['schedules_small', 'schedules_vitb14_in21k'])(
  '%s: learning rate, weight decay, momentum, temperature, last layer',
  (name) => {
    const file = parityFile(name);
    const c = file.config;
    const total = c.total_iters;
    const lr = {
      base: scaledLearningRate(c.base_lr, c.batch_size_per_gpu * c.world_size),
      final: c.min_lr,
      total,
      warmup: c.warmup_epochs * c.epoch_length,
    };
    const schedules = {
      lr: cosine(lr),
      last_layer_lr: cosine({ ...lr, freeze: c.freeze_last_layer_epochs * c.epoch_length }),
      wd: cosine({ base: c.weight_decay, final: c.weight_decay_end, total }),
      momentum: cosine({ base: c.momentum_teacher, final: c.final_momentum_teacher, total }),
      teacher_temp: linearRamp(c.warmup_teacher_temp, c.teacher_temp, c.warmup_teacher_temp_epochs * c.epoch_length),
    };
    const iterations = [...file.ints('iteration')];
    for (const [key, schedule] of Object.entries(schedules)) {
      checkParity(
        file,
        key,
        iterations.map(schedule),
        file.floats(key),
        key === 'momentum' ? { absolute: 1e-7 } : { relative: 1e-6 },
      );
      for (const [iteration, value] of Object.entries(c.exact_float64[key] ?? {}))
        expect(schedule(Number(iteration))).toBeCloseTo(value as number, 14);
    }
  },
);
