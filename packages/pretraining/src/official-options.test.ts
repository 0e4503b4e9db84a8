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

test('ranks share a batch: the learning rate counts the images of all, lists are as long as any rank needs', () => {
  const of = (perDevice: number, group: number, size: number) =>
    pretrainOptions({ ...choices, batch: { perDevice, group }, ranks: { rank: 0, size } });
  const alone = of(64, 32, 1);
  expect([alone.masks.bound, alone.kept[0], alone.schedule.lr]).toEqual([
    2 * 3129,
    { global: 57, local: 230 },
    pretrainOptions({ ...choices, batch: { perDevice: 64 } }).schedule.lr,
  ]);
  const whole = of(32, 32, 2);
  expect([whole.masks.bound, whole.kept[0], whole.schedule.lr]).toEqual([3129, alone.kept[0], alone.schedule.lr]);
  // the 32 crops of 16 images may have all masks; the 16 of 8 images the fullest half: 256 (16 x 0.1 + 0.55 / 32 (17 + ... + 32)) = 2134, each rounded down
  expect([of(16, 32, 2).masks.bound, of(8, 32, 4).masks.bound]).toEqual([3129, 2128]);
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
  [{ batch: { perDevice: 8, group: 6 } }, '8 images on each of 1 ranks are no groups of 6'],
  [{ batch: { perDevice: 1.5, group: 3 }, ranks: { rank: 0, size: 2 } }, '1.5 images on each of 2 ranks'],
  [{ ranks: { rank: 2, size: 2 } }, 'rank 2 of 2: give a whole number of ranks, and one from 0 below it'],
  [{ ranks: { rank: 0, size: 0 } }, 'rank 0 of 0'],
  [{ ranks: { rank: 0, size: 2, of: 3 } as object as never }, 'ranks: there is no option "of"'],
  [
    { batch: { perDevice: 4, group: 8 }, ranks: { rank: 0, size: 2 }, paddingRows: true },
    'give each rank whole groups',
  ],
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
  [{ vit: vitConfig('base', { classToken: false }) }, 'the model has no class token (classToken: false)'],
])('%j is refused', (wrong, message) => {
  expect(() => pretrainOptions({ ...choices, ...wrong })).toThrow(message);
});

test('without local crops their size does not matter', () => {
  const { kept, crops } = pretrainOptions({ ...choices, crops: { local_crops_number: 0, local_crops_size: 1 } });
  expect([kept[0], crops.local_crops_number]).toEqual([{ global: 57, local: 0 }, 0]);
});
