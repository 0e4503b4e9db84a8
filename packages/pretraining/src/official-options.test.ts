import { vitConfig } from '@franca/vit';
import { expect, test } from 'vitest';
import type { PretrainChoices } from './choices';
import { pretrainOptions } from './official-options';

const choices: PretrainChoices = {
  vit: vitConfig('base'),
  batch: { perDevice: 32 },
  schedule: { iterations: 625_000 },
};

test('what nobody chose is the recipe of ViT-B on ImageNet-21K', () => {
  const options = pretrainOptions({ ...choices, batch: { perDevice: 32, accumulation: 64 } });
  const { schedule } = options;
  expect([schedule.warmup, schedule.freezeLastLayer, schedule.teacherTempWarmup]).toEqual([100_000, 1250, 37_500]);
  expect(schedule.lr).toBeCloseTo(9.9136e-4, 8);
  expect(options.kept).toEqual(new Array(12).fill({ global: 57, local: 230 }));
  expect(options.masks).toMatchObject({ strategy: 'cyclic', grid: [16, 16], bound: 3129 });
  expect(options.heads.dino.levels.map(({ prototypes }) => prototypes)).toEqual([8192, 16384, 32768, 65536, 131072]);
  expect([options.heads.dino.bottleneckDim, options.heads.ibot?.bottleneckDim]).toEqual([384, 256]);
});

test('what is chosen wins, part by part', () => {
  const options = pretrainOptions({
    ...choices,
    precision: 'f16',
    losses: { koleo: 0.5 },
    adamW: { clip: 0 },
    heads: { ...pretrainOptions(choices).heads, ibot: undefined },
    schedule: { iterations: 100, teacherTemp: [0.02, 0.02] },
  });
  expect(options).toMatchObject({ precision: 'f16', lossScaling: true, heads: { ibot: undefined } });
  expect(options.losses).toEqual({ dino: 1, koleo: 0.5, ibot: 1 });
  expect(options.adamW).toEqual({ betas: [0.9, 0.999], eps: 1e-8, clip: 0 });
  expect(options.schedule).toMatchObject({ warmup: 16, teacherTemp: [0.02, 0.02] });
});

test.each<[Partial<PretrainChoices>, string]>([
  [{ batch: { perDevice: 1 } }, '1 images at a time; KoLeo needs 2 or more'],
  [{ crops: { global_crops_size: 225 } }, 'global_crops_size is 225, no multiple of the patch size 14; use 224'],
  [{ crops: { local_crops_size: 96 } }, 'use 98'],
  [{ dropPathRates: [0.1] }, 'dropPathRates has 1 rates, the model 12 blocks'],
  [{ schedule: { iterations: 10, warmup: 11 } }, 'a warm-up of 11 iterations is longer than the run of 10'],
  // what plain JavaScript would leave out in silence
  [{ local_crops_number: 4 } as object, 'pretrainOptions: there is no option "local_crops_number"; options are seed'],
  [{ dropPathRate: 0.1 } as object, 'there is no option "dropPathRate"'],
  [
    { crops: { localCropsNumber: 4 } as object },
    'crops: there is no option "localCropsNumber", it is called local_crops_number',
  ],
  [{ masks: { mask_ratio: 0.5 } as object }, 'masks: there is no option "mask_ratio"'],
  [{ losses: { kolEo: 1 } as object }, 'losses: there is no option "kolEo", it is called koleo'],
  [{ schedule: { iterations: Number.NaN } }, 'iterations are NaN'],
  [{ vit: undefined as never }, '"vit" is missing'],
])('%j is refused', (wrong, message) => {
  expect(() => pretrainOptions({ ...choices, ...wrong })).toThrow(message);
});

test('without local crops their size does not matter', () => {
  const { kept, crops } = pretrainOptions({ ...choices, crops: { local_crops_number: 0, local_crops_size: 1 } });
  expect([kept[0], crops.local_crops_number]).toEqual([{ global: 57, local: 0 }, 0]);
});
