/**
 * Logistic regression where an image may have several classes: one classifier per class, which tells its images from the others, all with
 * one penalty C. It is chosen by the mean of the classes' 11-point average precision on the validation part (or a tenth of train), and all
 * are fitted again on both.
 *
 * A classifier of "yes or no" with weights `w` minimises `1/2 |w|^2 + C sum log(1 + exp(-y (w x + b)))`. A softmax over the two answers
 * is the same model with `w = W_yes - W_no`; at its optimum `W_yes = -W_no = w / 2`, whose penalty is half of that of `w`, so that it is fitted with C / 2.
 *
 * Source: the protocol of Kornblith et al., Do better ImageNet models transfer better? (2019), for PASCAL VOC 2007.
 */
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, LinearClassifier } from '../backend/eval-backend';
import { CLASS_TOKENS, checkSet } from '../check-features';
import { classify } from '../classifier';
import { checkOption, checkOptions, EvalsError } from '../errors';
import { classTokens } from '../features';
import { joinRows, type Matrix, takeRows } from '../matrix';
import { elevenPointPrecision } from '../metrics/average-precision';
import { elapsed, type Outcome } from '../outcome';
import { loadProgress, type ProgressArray, type ProgressKeeper, savedArray } from '../progress';
import { type Curvature, sharedCurvature, type TurnedRows, turnRows } from './curvature';
import { fitLogistic } from './fit';
import { checkRegressionRoom, OFFICIAL_CS, PENALTY, type PenaltyOptions, penaltyChoice } from './penalty';
import { bestOf, classifierOf, type SweepPoint, unconverged } from './sweep';

/** Features of images that may have several classes. */
export interface MultiLabelFeatures {
  /** Width `D` of one feature. */
  readonly dim: number;
  /** Class tokens `[n, D]`. */
  readonly cls: Float32Array;
  /** For each image and class `[n, classes]`: 1 it has it, -1 it has not, 0 that is not judged: it is neither learnt from nor scored. */
  readonly truth: Int8Array;
}

const KINDS = { ...CLASS_TOKENS, truth: 'list' } as const;

/** Options of `multiLabelRegression`. */
export type MultiLabelOptions = PenaltyOptions<MultiLabelFeatures>;

export interface MultiLabelResult {
  readonly outcome: Outcome;
  readonly sweep: readonly SweepPoint[];
  readonly notes: readonly string[];
  /** Score of each test image and class `[n, classes]`: the logit of "yes" less that of "no". */
  readonly scores: Float32Array;
}

/** @throws EvalsError `features`, `labels` or `options` */
export async function multiLabelRegression(
  train: MultiLabelFeatures,
  test: MultiLabelFeatures,
  options: MultiLabelOptions = {},
): Promise<MultiLabelResult> {
  const started = performance.now();
  checkOptions('multiLabelRegression', options, PENALTY);
  const { cs = OFFICIAL_CS, validation, backend = cpuBackend, tolerance, maxIterations } = options;
  checkOption(cs.length > 0, 'cs is empty; give at least one C');
  const classes = classesOf('multiLabelRegression: train', train);
  for (const [name, set] of Object.entries({ test, ...(validation && { validation }) })) {
    const found = classesOf(`multiLabelRegression: ${name}`, set);
    if (found !== classes)
      throw new EvalsError('labels', `train has ${classes} classes and ${name} ${found}; give both the same`);
  }
  const sizes = [train, ...(validation ? [validation] : [])].map(({ cls, dim }) => cls.length / dim);
  checkRegressionRoom(
    'multiLabelRegression',
    sizes.reduce((sum, count) => sum + count, 0),
    train.dim,
  );
  const all = validation ? join(train, validation) : train;
  const curvature = await sharedCurvature(backend, classTokens(all));
  const solver: Solver = { backend, curvature, classes, cs, tolerance, maxIterations };
  const { fitted, judge, said } = penaltyChoice({ train, test }, options, train.cls.length / train.dim, take);
  const sweep = cs.length === 1 ? [] : await sweepAll(solver, fitted, judge, options);
  const best = bestOf(sweep);
  const { scores, notes, gradient, converged } = await fitAll(solver, cs[best]!, all, test);
  const precisions = averagePrecisions(scores, test, classes);
  const outcome: Outcome = {
    task: 'logistic-regression',
    protocol: 'one-vs-rest',
    variant: '',
    evaluated: test.cls.length / test.dim,
    total: test.cls.length / test.dim,
    metric: '11-point mAP',
    value: mean(precisions),
    unit: 'share',
    others: {},
    perClass: precisions,
    hyper: {
      c: cs[best]!,
      cs,
      gradient,
      converged,
      trainItems: all.cls.length / all.dim,
      backend: backend.name,
    },
    ...said,
    quirks: false,
    wallMs: elapsed(started),
  };
  const early = unconverged(sweep, { converged: true, gradient: 0 });
  await options.progress?.done();
  return { outcome, sweep, notes: [...early, ...notes], scores };
}

interface Solver {
  readonly backend: EvalBackend;
  readonly curvature: Curvature;
  readonly classes: number;
  readonly cs: readonly number[];
  readonly tolerance: number | undefined;
  readonly maxIterations: number | undefined;
}

/** Fits every class at every C on `train`; the mean average precision on `held` of each C. */
async function sweepAll(
  solver: Solver,
  train: MultiLabelFeatures,
  held: MultiLabelFeatures,
  { onFit, progress }: Pick<MultiLabelOptions, 'onFit' | 'progress'>,
): Promise<SweepPoint[]> {
  const { backend, curvature, classes, cs } = solver;
  const [turned, tokens] = [turnRows(curvature, classTokens(train)), classTokens(held)];
  const state = await resumedClasses(progress, [cs.length, tokens.rows, classes]);
  const scoresOf = (at: number): Float32Array =>
    state.scores.subarray(at * tokens.rows * classes, (at + 1) * tokens.rows * classes);
  for (let k = state.done; k < classes; k++) {
    const problem = problemOf(turned, train, k, classes);
    using session = backend.openSoftmaxRegression(problem);
    let start: Float64Array | undefined;
    for (const [at, c] of cs.entries()) {
      const fit = await fitLogistic(session, [2, problem.x.cols], { ...limits(solver), c: c / 2, start });
      start = fit.parameters;
      state.iterations[at] = Math.max(state.iterations[at]!, fit.iterations);
      state.gradients[at] = Math.max(state.gradients[at]!, fit.gradient);
      state.early[at]! += Number(!fit.converged);
      await writeScores(backend, classifierOf(fit, curvature), tokens, scoresOf(at), k, classes);
    }
    onFit?.(k + 1, classes);
    if (progress?.due()) {
      const { scores, iterations, gradients, early } = state;
      await progress.save({ state: { done: k + 1 }, arrays: { scores, iterations, gradients, early } });
    }
  }
  return cs.map((c, at) => ({
    c,
    score: mean(averagePrecisions(scoresOf(at), held, classes)),
    iterations: state.iterations[at]!,
    gradient: state.gradients[at]!,
    converged: state.early[at] === 0,
  }));
}

/** Where an earlier run was, or the beginning. @throws EvalsError `options` where what was saved is of another sweep */
async function resumedClasses(
  progress: ProgressKeeper | undefined,
  [cs, rows, classes]: readonly [number, number, number],
) {
  const saved = await loadProgress('multiLabelRegression', progress);
  const array = <T extends ProgressArray>(
    name: string,
    type: { new (length: number): T; readonly name: string },
    length: number,
  ): T => (saved ? savedArray(saved, name, type, length) : new type(length));
  return {
    done: saved ? (saved.state as { readonly done: number }).done : 0,
    /** Of each C, image and class. */
    scores: array('scores', Float32Array, cs * rows * classes),
    /** Of each C the most of any class, and how many classes did not converge. */
    iterations: array('iterations', Int32Array, cs),
    gradients: array('gradients', Float64Array, cs),
    early: array('early', Int32Array, cs),
  };
}

async function fitAll(solver: Solver, c: number, train: MultiLabelFeatures, test: MultiLabelFeatures) {
  const { backend, curvature, classes } = solver;
  const [turned, tokens] = [turnRows(curvature, classTokens(train)), classTokens(test)];
  const scores = new Float32Array(tokens.rows * classes);
  let gradient = 0;
  let early = 0;
  for (let k = 0; k < classes; k++) {
    using session = backend.openSoftmaxRegression(problemOf(turned, train, k, classes));
    const fit = await fitLogistic(session, [2, turned.cols], { ...limits(solver), c: c / 2 });
    early += Number(!fit.converged);
    gradient = Math.max(gradient, fit.gradient);
    await writeScores(backend, classifierOf(fit, curvature), tokens, scores, k, classes);
  }
  const notes = early > 0 ? [`the final fits of ${early} of ${classes} classes did not converge`] : [];
  return { scores, gradient, converged: early === 0, notes };
}

const limits = ({ curvature, tolerance, maxIterations }: Solver) => ({ curvature, tolerance, maxIterations });

/** The images of which it is judged whether they have class `k`: 1 where they have. */
function problemOf({ data, rows, cols }: TurnedRows, { truth }: MultiLabelFeatures, k: number, classes: number) {
  const images = Array.from({ length: rows }, (_, i) => i).filter((i) => truth[i * classes + k] !== 0);
  const labels = Int32Array.from(images, (i) => Number(truth[i * classes + k]! > 0));
  if (images.length === rows) return { x: { data, rows, cols }, labels, classes: 2 };
  const own = new Float64Array(images.length * cols);
  for (const [i, image] of images.entries()) own.set(data.subarray(image * cols, (image + 1) * cols), i * cols);
  return { x: { data: own, rows: images.length, cols }, labels, classes: 2 };
}

async function writeScores(
  backend: EvalBackend,
  classifier: LinearClassifier,
  tokens: Matrix,
  scores: Float32Array,
  k: number,
  classes: number,
): Promise<void> {
  const { data } = await classify(backend, classifier, tokens);
  for (let i = 0; i < tokens.rows; i++) scores[i * classes + k] = data[2 * i + 1]! - data[2 * i]!;
}

function averagePrecisions(scores: Float32Array, { truth }: MultiLabelFeatures, classes: number): (number | null)[] {
  const items = truth.length / classes;
  const column = (values: ArrayLike<number>, k: number) =>
    Float32Array.from({ length: items }, (_, i) => values[i * classes + k]!);
  return Array.from({ length: classes }, (_, k) => elevenPointPrecision(column(scores, k), column(truth, k)));
}

/** Over the classes that occur; 0 where none does. */
function mean(precisions: readonly (number | null)[]): number {
  const there = precisions.filter((precision) => precision !== null);
  return there.length === 0 ? 0 : there.reduce((sum, precision) => sum + precision, 0) / there.length;
}

function take({ dim, cls, truth }: MultiLabelFeatures, items: ArrayLike<number>): MultiLabelFeatures {
  const rows = cls.length / dim;
  const classes = truth.length / rows;
  const chosen = new Int8Array(items.length * classes);
  for (let i = 0; i < items.length; i++)
    chosen.set(truth.subarray(items[i]! * classes, (items[i]! + 1) * classes), i * classes);
  return { dim, cls: takeRows({ data: cls, rows, cols: dim }, items).data, truth: chosen };
}

function join(a: MultiLabelFeatures, b: MultiLabelFeatures): MultiLabelFeatures {
  const truth = new Int8Array(a.truth.length + b.truth.length);
  truth.set(a.truth);
  truth.set(b.truth, a.truth.length);
  return { dim: a.dim, cls: joinRows([classTokens(a), classTokens(b)]).data, truth };
}

/** How many classes a set judges. @throws EvalsError `features` or `labels` where it is no set */
function classesOf(what: string, set: MultiLabelFeatures): number {
  checkSet(what, set, KINDS);
  const { rows } = classTokens(set);
  const { truth } = set;
  const classes = truth.length / rows;
  if (!(truth instanceof Int8Array) || rows === 0 || !Number.isInteger(classes) || classes < 1)
    throw new EvalsError('labels', `${what}.truth must be an Int8Array [n, classes] for ${rows} images`);
  return classes;
}
