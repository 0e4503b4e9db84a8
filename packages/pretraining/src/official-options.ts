/** Options from the few that one chooses: official values for the rest, and the sizes that follow. */
import { upperBound } from '@franca/cyclic-mask';
import { OFFICIAL_WEIGHTS } from '@franca/losses';
import { matryoshkaConfig } from '@franca/matryoshka-heads';
import { keptSamples, scaledLearningRate } from '@franca/nn';
import type { VitConfig } from '@franca/vit';
import { checkChoices, type PretrainChoices } from './choices';
import { PretrainError } from './errors';
import { mostOnARank, wholeGroups } from './groups';
import {
  type BatchSize,
  type CropSizes,
  GLOBAL_CROPS,
  type KeptCrops,
  LEAST_IMAGES,
  type MaskOptions,
  type PretrainOptions,
  type RankOf,
  type Schedule,
} from './options';

/** Defaults are those that `PretrainOptions` states. @throws PretrainError `options` where sizes do not go together */
export function pretrainOptions(choices: PretrainChoices): PretrainOptions {
  checkChoices(choices);
  const { vit, schedule, masks, losses, adamW, ...others } = choices;
  const batch = { accumulation: 1, group: choices.batch.perDevice, ...choices.batch };
  const { ranks = { rank: 0, size: 1 } } = choices;
  const crops = { global_crops_size: vit.imgSize, local_crops_size: 98, local_crops_number: 8, ...choices.crops };
  const { precision = 'f32', dropPathRates = new Array<number>(vit.depth).fill(0.1) } = choices;
  checkRanks(ranks);
  checkBatch(batch, ranks, choices);
  checkSizes(vit, crops);
  if (vit.classToken === false)
    throw new PretrainError(
      'options',
      'the model has no class token (classToken: false), and the method trains one: its losses compare the CLS tokens of crops; give a model with one',
    );
  if (dropPathRates.length !== vit.depth)
    throw new PretrainError(
      'options',
      `dropPathRates has ${dropPathRates.length} rates, the model ${vit.depth} blocks; give one for each`,
    );
  return {
    seed: 0,
    koleoDistributed: false,
    remat: false,
    heads: {
      dino: matryoshkaConfig(vit.embedDim),
      ibot: matryoshkaConfig(vit.embedDim, 131072, { bottleneckDim: 256 }),
    },
    freezePrototypeNorms: false,
    centering: 'sinkhorn_knopp',
    centerMomentum: 0.9,
    paddingRows: false,
    studentTemp: 0.1,
    layerwiseDecay: 1,
    backboneLrMultiplier: 1,
    patchEmbedLrMultiplier: 0.2,
    lossScaling: precision === 'f16',
    ...others,
    precision,
    vit,
    batch,
    ranks,
    crops,
    dropPathRates,
    kept: dropPathRates.map((rate) => keptCrops(rate, batch, crops)),
    masks: maskOptions(vit, { batch, ranks }, crops, masks),
    losses: { ...OFFICIAL_WEIGHTS, ...losses },
    adamW: { betas: [0.9, 0.999], eps: 1e-8, clip: 3, ...adamW },
    schedule: officialSchedule(schedule, batch.perDevice * batch.accumulation * ranks.size),
  };
}

function keptCrops(rate: number, { group }: BatchSize, { local_crops_number }: CropSizes): KeptCrops {
  return {
    global: keptSamples(GLOBAL_CROPS * group, rate),
    local: local_crops_number === 0 ? 0 : keptSamples(local_crops_number * group, rate),
  };
}

function maskOptions(
  { patchSize }: VitConfig,
  { batch, ranks }: Pick<PretrainOptions, 'batch' | 'ranks'>,
  { global_crops_size }: CropSizes,
  choices: PretrainChoices['masks'],
): MaskOptions {
  const side = global_crops_size / patchSize;
  const masks = { strategy: 'cyclic', probability: 0.5, ratio: [0.1, 0.65], ...choices } as const;
  const ofGroup = { ...masks, crops: GLOBAL_CROPS * batch.group, grid: { height: side, width: side } };
  const bound = mostOnARank(batch, ranks.size, (images) => upperBound(ofGroup, GLOBAL_CROPS * images));
  return { ...masks, grid: [side, side], bound };
}

function officialSchedule(choices: PretrainChoices['schedule'], imagesPerUpdate: number): Schedule {
  const share = (part: number) => Math.round(part * choices.iterations);
  const schedule: Schedule = {
    warmup: share(0.16),
    freezeLastLayer: share(0.002),
    freezeBackbone: 0,
    lr: scaledLearningRate(7.01e-4, imagesPerUpdate),
    minLr: 1e-6,
    weightDecay: [0.04, 0.2],
    momentum: [0.994, 1],
    teacherTemp: [0.04, 0.07],
    teacherTempWarmup: share(0.06),
    ...choices,
  };
  const { warmup, freezeBackbone, iterations } = schedule;
  if (warmup + freezeBackbone > iterations)
    throw new PretrainError(
      'options',
      `a warm-up of ${warmup} iterations${freezeBackbone > 0 ? ` after ${freezeBackbone} with a frozen backbone` : ''} is longer than the run of ${iterations}`,
    );
  return schedule;
}

function checkRanks({ rank, size }: RankOf): void {
  if (!(Number.isInteger(size) && size >= 1 && Number.isInteger(rank) && rank >= 0 && rank < size))
    throw new PretrainError(
      'options',
      `rank ${rank} of ${size}: give a whole number of ranks, and one from 0 below it`,
    );
}

function checkBatch(
  { perDevice, group }: BatchSize,
  { size }: RankOf,
  { paddingRows }: Pick<PretrainChoices, 'paddingRows'>,
): void {
  if (group < LEAST_IMAGES)
    throw new PretrainError(
      'options',
      `${group} images at a time; KoLeo needs ${LEAST_IMAGES} or more: an image and its neighbour`,
    );
  if (!(Number.isInteger(perDevice) && perDevice >= 1 && Number.isInteger(group) && (perDevice * size) % group === 0))
    throw new PretrainError(
      'options',
      `${perDevice} images on each of ${size} ranks are no groups of ${group}; give a multiple of the group in all`,
    );
  if (paddingRows && !wholeGroups({ perDevice, group }))
    throw new PretrainError(
      'options',
      `paddingRows counts the empty rows of a group, and groups of ${group} lie on several ranks with ${perDevice} images each; give each rank whole groups`,
    );
}

function checkSizes({ patchSize }: VitConfig, crops: CropSizes): void {
  const sizes = ['global_crops_size', ...(crops.local_crops_number > 0 ? ['local_crops_size' as const] : [])] as const;
  for (const name of sizes)
    if (crops[name] % patchSize !== 0)
      throw new PretrainError(
        'options',
        `${name} is ${crops[name]}, no multiple of the patch size ${patchSize}; use ${Math.max(1, Math.round(crops[name] / patchSize)) * patchSize}`,
      );
}
