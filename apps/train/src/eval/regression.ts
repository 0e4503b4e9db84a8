/** Logistic regression on one data set: the C chosen on its validation part, where it has one, and the metric that it is reported by. */
import {
  type EvalRecord,
  type LogisticRegressionResult,
  logisticRegression,
  type MultiLabelFeatures,
  multiLabelRegression,
  type Outcome,
  type SweepPoint,
} from '@franca/evals';
import { type Figure, lineChart } from '@franca/viz';
import { countProgress } from '../text/count-progress';
import type { EvalContext } from './context';
import { type HeldImages, heldImages, type ImagePart } from './image-part';
import { type Followed, type LogregValues, learntFrom } from './paper-protocol';

/** The metrics of which one is chosen by and reported. */
export const METRICS = ['top-1', 'mean-per-class'] as const;

export interface RegressionParts {
  readonly train: ImagePart;
  readonly validation?: ImagePart | undefined;
  readonly test: ImagePart;
}

export interface RegressionAsked {
  readonly task: string;
  readonly followed: Followed<LogregValues>;
  /** Default: that of the data set, else top-1. */
  readonly metric?: (typeof METRICS)[number] | undefined;
}

export interface Regressed {
  readonly record: EvalRecord;
  readonly sweep: readonly SweepPoint[];
}

/** Fits, chooses, fits again and scores once; what did not converge stands in the record. */
export async function regress(
  context: EvalContext,
  { train, validation, test }: RegressionParts,
  { task, followed: asked, metric }: RegressionAsked,
): Promise<Regressed> {
  const { set } = test;
  const parts = [train, ...(validation ? [validation] : [])];
  const length = parts.reduce((sum, part) => sum + part.set.length, 0);
  const what = `${task} on ${set.dataset}`;
  const followed = learntFrom(asked, what, { dataset: set.dataset, length });
  const several = set.labels !== undefined;
  const counted = several ? { items: 'classes', unit: 'classes' } : { items: 'values of C', unit: 'fits' };
  const progress = countProgress(what, counted);
  const options = {
    backend: context.backend,
    cs: followed.values.c,
    onFit: (done: number, total: number) => progress.update(done, total, false),
  };
  const learnt = await heldImages(train);
  const chosen = validation && (await heldImages(validation));
  const tested = await heldImages(test);
  const fitted = await (several
    ? multiLabelRegression(severalOf(train.set, learnt), severalOf(set, tested), {
        ...options,
        ...(chosen && { validation: severalOf(validation.set, chosen) }),
      })
    : logisticRegression(learnt.labelled, tested.labelled, {
        ...options,
        metric: metric ?? ownMetric(test),
        ...(chosen && { validation: chosen.labelled }),
      })
  ).finally(progress.end);
  const { sweep } = fitted;
  const outcome: Outcome = { ...fitted.outcome, hyper: { ...fitted.outcome.hyper, ...followed.hyper } };
  const noted = { ...test, set: { ...set, notes: [...set.notes, ...followed.notes, ...notesOf(what, fitted)] } };
  const [record] = context.records(noted, [outcome], undefined, parts);
  return { record: record!, sweep };
}

const notesOf = (what: string, { notes }: Pick<LogisticRegressionResult, 'notes'>): string[] =>
  notes.map((note) => `${what}: ${note}`);

function ownMetric({ set: { benchmark } }: ImagePart): RegressionAsked['metric'] {
  return METRICS.find((metric) => metric === benchmark?.metric);
}

/** The same features with all classes of each image: 1 where it has one, 0 where that counts neither way, else -1. */
export function severalOf(
  set: Pick<ImagePart['set'], 'classes' | 'labels' | 'difficult'>,
  { images, labelled }: Pick<HeldImages, 'images' | 'labelled'>,
): MultiLabelFeatures {
  const classes = set.classes.length;
  const truth = new Int8Array(images.length * classes).fill(-1);
  for (const [row, index] of images.entries()) {
    for (const label of set.difficult?.(index) ?? []) truth[row * classes + label] = 0;
    for (const label of set.labels!(index)) truth[row * classes + label] = 1;
  }
  return { dim: labelled.dim, cls: labelled.cls, truth };
}

/** How good each C was on what it was chosen on. */
export function penaltyChart(title: string, sweep: readonly SweepPoint[]): { readonly figure: Figure } {
  const x = sweep.map(({ c }) => c);
  const y = sweep.map(({ score }) => 100 * score);
  return {
    figure: lineChart([{ name: 'score on the held-out or validation part', x, y }], {
      title,
      x: { label: 'C', kind: 'log', format: (c) => c.toExponential(0).replace('+', '') },
      y: { label: '%' },
      markers: true,
    }),
  };
}
