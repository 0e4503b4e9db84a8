/**
 * What the figures of a run mean, in one sentence: whether its features beat raw pixels and the weights that it started from, by how much, and what that says. A lead
 * counts from two standard errors on; below that the two are level. The last screen and the report give the same sentence.
 */
import { BEST_TEACHER, type BestReading } from './best-reading';
import type { HealthNotice } from './health';
import type { Compared, KnnFigures } from './knn-figures';
import type { StartingWeights } from './run-start';

export interface RunOutcome {
  /** Updates done, of how many. */
  readonly step: number;
  readonly steps: number;
  /** Whether the program still trains. */
  readonly running: boolean;
  /** Updates over which the learning rate rises. */
  readonly warmup: number;
  /** Whether there are classes to measure by. */
  readonly labelled: boolean;
  /** The newest reading. */
  readonly knn: KnnFigures | undefined;
  /** Mean loss of the first and the last steps; undefined before there are any. */
  readonly loss: { readonly first: number; readonly last: number } | undefined;
  /** Spread of features over pictures (see `HealthReading`). */
  readonly spread: number | undefined;
  /** What looks wrong now. */
  readonly trouble: readonly HealthNotice['code'][];
  /** The best reading of a run from trained weights, where one is above them. */
  readonly best?: BestReading | undefined;
  /** Where the run left another one, if it is a fork. */
  readonly fork: { readonly run: string; readonly step: number } | undefined;
  /** The frozen teacher that it learned from, if there was one. */
  readonly distilled?: string | undefined;
}

type Standing = 'ahead' | 'level' | 'behind';

/** What it says to be ahead of, level with or behind raw pixels, and then the start. */
const MEANING: Readonly<Record<`${Standing}, ${Standing}`, string>> = {
  'ahead, ahead': 'training taught it what neither colours in their places nor its structure tell',
  'ahead, level': 'its structure tells the classes by itself, and what training adds does not show',
  'ahead, behind': 'training took away some of what it started with; a lower learning rate (optim.base_lr) keeps more',
  'level, ahead': 'training taught it much, but so far no more than colours in their places tell',
  'level, level': 'the run is too short, or the pictures are too few, to show a difference',
  'level, behind': 'training took away some of what it started with; a lower learning rate (optim.base_lr) keeps more',
  'behind, ahead':
    'training helped, but colours in their places still tell these classes better; a longer run (optim.epochs) is next',
  'behind, level': 'training does not show yet; a longer run (optim.epochs) is next',
  'behind, behind': 'training made it worse; try a lower learning rate (optim.base_lr)',
};

/** What the standing against trained weights says, whose k-NN beat raw pixels before. */
const MEANING_OF_CONTINUED: Readonly<Record<Standing, string>> = {
  ahead: 'training added to what the weights knew of such pictures',
  level: 'what the weights knew is kept, and what training adds does not show',
  behind: 'training took away some of what the weights knew; a lower learning rate (optim.base_lr) keeps more',
};

/** The same where only raw pixels are known. */
const MEANING_OF_PIXELS: Readonly<Record<Standing, string>> = {
  ahead: 'it tells classes by more than colours in their places',
  level: 'so far it tells no more than colours in their places do',
  behind: 'colours in their places still tell these classes better',
};

const TROUBLE: Readonly<Record<HealthNotice['code'], string>> = {
  'not-finite': 'the loss is no longer finite',
  collapse: 'all pictures get nearly the same feature (collapse)',
  'uniform-teacher': "the teacher's targets are uniform, so nothing is being taught",
  'one-hot-teacher': "the teacher's targets are one-hot",
  'few-prototypes': 'hardly any prototype is used',
  'many-skipped': 'most steps were skipped, as their gradients were not finite',
  'below-start': 'it fell below its start',
};

/** The sentence. */
export function verdict(outcome: RunOutcome): string {
  const sentence = `${moment(outcome)}${outcome.knn ? ofKnn(outcome, outcome.knn) : withoutKnn(outcome)}`;
  const { trouble, fork, distilled } = outcome;
  const parts = [
    sentence,
    ...(fork ? [`the first ${fork.step} steps were those of ${fork.run}`] : []),
    ...bestOf(outcome),
    ...(distilled === undefined ? [] : [`it learned from a frozen teacher, ${distilled}`]),
    ...(trouble.length > 0 ? [`beware: ${trouble.map((code) => TROUBLE[code]).join(', and ')}`] : []),
  ];
  const text = parts.join('; ');
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

/** What is worth keeping of a run from trained weights, where it is not its newest teacher. */
function bestOf({ knn, best }: RunOutcome): string[] {
  if (knn?.start?.weights !== 'pretrained' || knn.step === best?.step) return [];
  if (!best) return knn.share < knn.start.share ? ['no reading was above those weights'] : [];
  return [`the best reading was ${percent(best.share)} at step ${best.step}, kept as ${BEST_TEACHER}`];
}

/** How far the run and its newest reading are, where that is not its end. */
function moment({ step, steps, running, knn }: RunOutcome): string {
  const at = knn && knn.step > 0 && knn.step !== step ? `, measured at step ${knn.step}` : '';
  if (running) return step > 0 ? `so far (step ${step} of ${steps}${at}) ` : '';
  if (step < steps) return `stopped at step ${step} of ${steps}${at}: `;
  return at ? `as of step ${knn!.step} of ${steps}: ` : '';
}

function ofKnn({ warmup, steps }: RunOutcome, { step, k, images, share, pixels, start }: KnnFigures): string {
  if (step === 0)
    return `nothing is trained yet: ${k}-NN names ${percent(share)} of ${images} held-out pictures right, and on raw pixels ${percent(pixels.share)}`;
  const beside = [compared('raw pixels', pixels), ...(start ? [compared(nameOfStart(start.weights), start)] : [])];
  const against = beside.join(' and ').replace(/^(is|beats) (.*) and \1 /, '$1 $2 and ');
  const meaning = start
    ? meaningOf(standing(pixels), start)
    : `${MEANING_OF_PIXELS[standing(pixels)]} (how the run began is not known on these pictures)`;
  const rising = `the learning rate was still rising (until step ${warmup} of ${steps}), so this is a beginning and no result`;
  return `the trained network ${against}: ${step <= warmup ? rising : meaning}`;
}

const meaningOf = (pixels: Standing, start: NonNullable<KnnFigures['start']>): string =>
  start.weights === 'pretrained' ? MEANING_OF_CONTINUED[standing(start)] : MEANING[`${pixels}, ${standing(start)}`];

const nameOfStart = (weights: StartingWeights): string =>
  weights === 'untrained' ? 'the untrained network' : 'the weights it started from';

function compared(name: string, figures: Compared): string {
  const points = (100 * Math.abs(figures.lead)).toFixed(1);
  const noise = `± ${(200 * figures.error).toFixed(1)}`;
  if (standing(figures) === 'ahead') return `beats ${name} by ${points} points (${noise})`;
  if (standing(figures) === 'behind') return `is ${points} points (${noise}) behind ${name}`;
  const sign = figures.lead < 0 ? '-' : '+';
  return `is level with ${name} (${sign}${points} points, noise ${noise})`;
}

export function standing({ lead, error }: Compared): Standing {
  if (Math.abs(lead) <= 2 * error) return 'level';
  return lead > 0 ? 'ahead' : 'behind';
}

function withoutKnn({ step, labelled, loss, spread }: RunOutcome): string {
  if (!loss || step === 0) return 'nothing is measured yet';
  const course = `the loss went from ${loss.first.toFixed(2)} to ${loss.last.toFixed(2)}`;
  const features =
    spread === undefined
      ? ''
      : ` and features of different pictures have a spread of ${spread.toFixed(2)} (0 is collapse, 1 is even)`;
  const why = labelled ? 'no k-NN accuracy was measured since' : 'without classes there is no k-NN accuracy';
  return `${course}${features}: that tells whether training works, not how good the features are, and ${why}`;
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
