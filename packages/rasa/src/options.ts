/** Options of a fit: defaults that suit 64 images as well as 100,000, the published recipe, and what is refused. */
import type { Seed } from '@franca/tensor';
import { RasaError } from './errors';
import type { Activation } from './position-head';

export interface FitOptions {
  /** Planes at most (default 9, as published). */
  readonly iterations?: number;
  /**
   * Which plane a head of weights w stands for. `patterns` (default): the directions Cov(x, x) w, along which features vary with what the head reads, so
   * that little of it is left when they are gone. `weights`: the rows w themselves, as published: where features vary more along some directions than along
   * others, these read position well and yet leave most of it, which later planes remove together with what patches show.
   */
  readonly directions?: 'patterns' | 'weights';
  /** Planes orthogonal to all before (default true); false gives the official chain. */
  readonly orthogonal?: boolean;
  /** Position counts as gone where least squares reads no more than this R^2 above chance (default 0.01); 0: never. */
  readonly minR2?: number;
  /** Share of least squares' R^2 above chance that a trained head must read, else the fit ends with the error `not-learned` (default 0.5); 0: whatever it reads. */
  readonly minLearned?: number;
  /** Passes over the source per plane (default 5), more where that is fewer than `minSteps` steps. */
  readonly epochs?: number;
  /** Steps per plane at least, however few images there are (default 300). */
  readonly minSteps?: number;
  /** Images per step (default: an eighth of the images, at most 128). */
  readonly batchSize?: number;
  /**
   * What becomes of the images that do not fill a batch at the end of a pass: the next pass completes it (`carry-over`, default), or they are left out
   * as officially; how many is `leftOut` of the fit.
   */
  readonly lastBatch?: 'carry-over' | 'leave-out';
  /** Peak learning rate (default 0.02, for standardised features), falling by half a cosine to `finalLr` (default 0). */
  readonly lr?: number;
  readonly finalLr?: number;
  readonly weightDecay?: number;
  readonly activation?: Activation;
  /** Train on features of mean 0 and variance 1 in every dimension (default true), so that one rate serves all; the heads are given for the features as they are. */
  readonly standardise?: boolean;
  /**
   * Where each head starts: at zero (default), so that its rows lie where features vary with position, or uniform in +-1 / sqrt(D) as officially: what
   * training does not move of that stays in the plane and is removed for nothing.
   */
  readonly init?: 'zero' | 'uniform';
  readonly seed?: Seed;
  readonly onProgress?: (progress: StageProgress) => void;
}

export interface StageProgress {
  /** Counted from 0, of `stages` at most. */
  readonly stage: number;
  readonly stages: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
}

/** The published procedure: nine planes whatever they read, which wants thousands of images. What its heads learned is in the stages of the fit. */
export const OFFICIAL_RECIPE: FitOptions = {
  iterations: 9,
  directions: 'weights',
  orthogonal: false,
  minR2: 0,
  minLearned: 0,
  epochs: 5,
  minSteps: 1,
  batchSize: 128,
  lastBatch: 'leave-out',
  lr: 2e-4,
  standardise: false,
  init: 'uniform',
};

/** Options with their defaults, for a source of so many images. */
export interface Settings extends Required<Omit<FitOptions, 'onProgress'>> {
  /** Of each plane. */
  readonly steps: number;
  /** Images that no step sees. */
  readonly leftOut: number;
  readonly onProgress: ((progress: StageProgress) => void) | undefined;
}

const DEFAULTS = {
  iterations: 9,
  directions: 'patterns',
  orthogonal: true,
  minR2: 0.01,
  minLearned: 0.5,
  epochs: 5,
  minSteps: 300,
  batchSize: undefined,
  lastBatch: 'carry-over',
  lr: 0.02,
  finalLr: 0,
  weightDecay: 0,
  activation: 'sigmoid',
  standardise: true,
  init: 'zero',
  seed: 0,
  onProgress: undefined,
} as const;

/** Options with all but what depends on the number of images. Throws `RasaError` `options` for what makes no sense. */
export function checkedOptions(options: FitOptions): FitOptions & Omit<Settings, 'batchSize' | 'steps' | 'leftOut'> {
  const unknown = Object.keys(options).filter((name) => !(name in DEFAULTS));
  if (unknown.length > 0)
    throw new RasaError('options', `no option ${unknown.join(', ')}; there are ${Object.keys(DEFAULTS).join(', ')}`);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const all = { ...DEFAULTS, ...given };
  for (const name of ['iterations', 'epochs', 'minSteps', 'batchSize'] as const) {
    const value = all[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1))
      refuse(name, value, 'it must be a whole number from 1');
  }
  for (const name of ['minR2', 'minLearned'] as const)
    if (!(all[name] >= 0 && all[name] < 1)) refuse(name, all[name], 'it must be at least 0 and below 1');
  if (!(all.lr > 0 && Number.isFinite(all.lr))) refuse('lr', all.lr, 'it must be a positive number');
  for (const name of ['finalLr', 'weightDecay'] as const)
    if (!(all[name] >= 0 && Number.isFinite(all[name]))) refuse(name, all[name], 'it must be a number from 0');
  for (const [name, values] of Object.entries(CHOICES))
    if (!values.includes(all[name as keyof typeof CHOICES]))
      refuse(name, all[name as keyof typeof CHOICES], `it must be one of ${values.join(', ')}`);
  return all;
}

const CHOICES: Readonly<
  Record<'directions' | 'lastBatch' | 'activation' | 'init' | 'orthogonal' | 'standardise', readonly unknown[]>
> = {
  directions: ['patterns', 'weights'],
  lastBatch: ['carry-over', 'leave-out'],
  activation: ['sigmoid', 'tanh', 'none'],
  init: ['zero', 'uniform'],
  orthogonal: [true, false],
  standardise: [true, false],
};

function refuse(name: string, value: unknown, rule: string): never {
  throw new RasaError('options', `${name} is ${String(value)}; ${rule}`);
}

/** Batches and steps for a source of `images`. Throws `RasaError` `options` if all its images would be left out. */
export function settingsFor(options: ReturnType<typeof checkedOptions>, images: number): Settings {
  const batchSize = options.batchSize ?? Math.max(1, Math.min(128, Math.floor(images / 8)));
  const leaves = options.lastBatch === 'leave-out';
  if (leaves && images < batchSize)
    throw new RasaError(
      'options',
      `the source has ${images} images, a batch needs ${batchSize}; lower batchSize, or take lastBatch 'carry-over'`,
    );
  const perEpoch = leaves ? Math.floor(images / batchSize) : images / batchSize;
  const steps = Math.max(options.minSteps, Math.ceil(options.epochs * perEpoch));
  return { ...options, batchSize, steps, leftOut: leaves ? images % batchSize : 0 };
}
