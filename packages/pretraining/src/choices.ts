/** What one chooses of the options of a run. */
import { optionProblem } from '@franca/tensor';
import type { VitConfig } from '@franca/vit';
import { PretrainError } from './errors';
import type { BatchSize, CropSizes, Distillation, MaskOptions, PretrainOptions, RankOf, Schedule } from './options';

/** Options whose value is made of parts of its own, or follows from others. */
type Composed = 'vit' | 'batch' | 'kept' | 'crops' | 'masks' | 'losses' | 'adamW' | 'schedule';

/** What one chooses of `PretrainOptions`: model, images at a time and iterations; the rest where it should differ. */
export interface PretrainChoices extends Partial<Omit<PretrainOptions, Composed>> {
  readonly vit: VitConfig;
  readonly batch: Pick<BatchSize, 'perDevice'> & Partial<BatchSize>;
  readonly schedule: Pick<Schedule, 'iterations'> & Partial<Schedule>;
  readonly crops?: Partial<CropSizes>;
  readonly masks?: Partial<Omit<MaskOptions, 'grid' | 'bound'>>;
  readonly losses?: Partial<PretrainOptions['losses']>;
  readonly adamW?: Partial<PretrainOptions['adamW']>;
}

type Keys<T> = Record<keyof T, true>;

const TOP: Keys<PretrainChoices> = {
  seed: true,
  precision: true,
  batch: true,
  ranks: true,
  koleoDistributed: true,
  vit: true,
  vitInitStd: true,
  distillation: true,
  remat: true,
  weightCopies: true,
  dropPathRates: true,
  crops: true,
  masks: true,
  heads: true,
  freezePrototypeNorms: true,
  losses: true,
  centering: true,
  centerMomentum: true,
  paddingRows: true,
  studentTemp: true,
  adamW: true,
  layerwiseDecay: true,
  backboneLrMultiplier: true,
  patchEmbedLrMultiplier: true,
  lossScaling: true,
  schedule: true,
};
const BATCH: Keys<BatchSize> = { perDevice: true, group: true, accumulation: true };
const RANKS: Keys<RankOf> = { rank: true, size: true };
const CROPS: Keys<CropSizes> = { global_crops_size: true, local_crops_size: true, local_crops_number: true };
const MASKS: Keys<NonNullable<PretrainChoices['masks']>> = { strategy: true, probability: true, ratio: true };
const DISTILLATION: Keys<Distillation> = { vit: true, heads: true };
const LOSSES: Keys<PretrainOptions['losses']> = { dino: true, koleo: true, ibot: true };
const ADAMW: Keys<PretrainOptions['adamW']> = { betas: true, eps: true, clip: true };
const SCHEDULE: Keys<Schedule> = {
  iterations: true,
  warmup: true,
  freezeLastLayer: true,
  freezeBackbone: true,
  lr: true,
  minLr: true,
  weightDecay: true,
  momentum: true,
  teacherTemp: true,
  teacherTempWarmup: true,
};

/** Throws `PretrainError` for a choice that there is not, and for one of the three that must be made and is not. */
export function checkChoices(choices: PretrainChoices): void {
  refuse('pretrainOptions', optionProblem(choices, TOP));
  for (const name of ['vit', 'batch', 'schedule'] as const)
    if (choices[name] === undefined) refuse('pretrainOptions', `"${name}" is missing; it has no default`);
  const { batch, ranks = {}, crops = {}, masks = {}, losses = {}, adamW = {}, schedule } = choices;
  refuse('batch', optionProblem(batch, BATCH));
  refuse('ranks', optionProblem(ranks, RANKS));
  refuse('crops', optionProblem(crops, CROPS));
  refuse('masks', optionProblem(masks, MASKS));
  refuse('losses', optionProblem(losses, LOSSES));
  if (choices.distillation) refuse('distillation', optionProblem(choices.distillation, DISTILLATION));
  refuse('adamW', optionProblem(adamW, ADAMW));
  refuse('schedule', optionProblem(schedule, SCHEDULE));
  if (!(schedule.iterations >= 1))
    refuse('schedule', `iterations are ${schedule.iterations}; give a whole number above 0`);
}

function refuse(what: string, problem: string | undefined): void {
  if (problem) throw new PretrainError('options', `${what}: ${problem}`);
}
