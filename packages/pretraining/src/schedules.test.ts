import { vitConfig } from '@franca/vit';
import { expect, test } from 'vitest';
import { pretrainOptions } from './official-options';
import { schedules } from './schedules';

test('ends are those that the options name; prototypes wait', () => {
  const { schedule } = pretrainOptions({
    vit: vitConfig('tiny'),
    batch: { perDevice: 2 },
    schedule: { iterations: 1000, lr: 1e-3, freezeLastLayer: 20, teacherTempWarmup: 60 },
  });
  const at = schedules(schedule);
  expect(at(0)).toMatchObject({ lr: 0, lastLayerLr: 0, momentum: 0.994, teacherTemp: 0.04 });
  expect(at(0).weightDecay).toBeCloseTo(0.04, 12);
  expect([at(19).lastLayerLr, at(20).lastLayerLr]).toEqual([0, at(20).lr]);
  expect(at(160).lr).toBeCloseTo(1e-3, 12);
  expect(at(59).teacherTemp).toBe(0.07);
  expect(at(1000)).toMatchObject({ lr: 1e-6, weightDecay: 0.2, momentum: 1 });
  expect(at(0)).not.toHaveProperty('backboneLr');
});

test('a frozen backbone begins the whole schedule late, and no warm-up is longer than what is left', () => {
  const choices = (freezeBackbone: number) => ({
    vit: vitConfig('tiny'),
    batch: { perDevice: 2 },
    schedule: { iterations: 1000, lr: 1e-3, warmup: 100, freezeBackbone },
  });
  const late = schedules(pretrainOptions(choices(300)).schedule);
  const short = schedules({ ...pretrainOptions(choices(0)).schedule, iterations: 700 });
  for (const iteration of [0, 1, 99, 100, 350, 699, 700])
    expect(late(300 + iteration).backboneLr).toBe(short(iteration).lr);
  expect([0, 299].map((iteration) => late(iteration).backboneLr)).toEqual([0, 0]);
  expect(late(99).lr).toBe(1e-3);
  expect(() => pretrainOptions(choices(901))).toThrow(
    'a warm-up of 100 iterations after 901 with a frozen backbone is longer than the run of 1000',
  );
});
