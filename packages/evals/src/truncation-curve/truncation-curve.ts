/**
 * Matryoshka truncation curve (paper Fig. 3): how good are the first `m` of `D` numbers of a feature? Measured by k-NN
 * after normalising again; nothing is trained. Two controls say what the curve is worth: the `m` principal components
 * of the train features (what any feature of this model could keep at best by a linear map), and random `m`-dimensional
 * subspaces (what chance keeps). Train is passed once for the moments of the components and once for each number, and never held.
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend } from '../backend/eval-backend';
import { checkSet, LABELLED } from '../check-features';
import { checkOption, checkOptions } from '../errors';
import { type Batched, batches, classTokens, type LabelledFeatures } from '../features';
import { knn } from '../knn/knn';
import { type Matrix, rowRange, takeColumns } from '../matrix';
import { randomSubspace } from '../numerics/random-subspace';
import { elapsed, type Outcome } from '../outcome';
import { momentsOf } from '../statistics/moments';
import { fitPca, type Pca, projectPca } from '../statistics/pca';

/** What a truncated feature is compared with. */
export type TruncationControl = 'pca' | 'random';

export interface TruncationCurveOptions {
  /** Default D, D/2, D/4, D/8, D/16, as far as they are whole. */
  readonly widths?: readonly number[];
  /** Default both. */
  readonly controls?: readonly TruncationControl[];
  /** Seeds of the random subspaces; default 0, 1, 2. */
  readonly seeds?: readonly number[];
  /** Neighbours that vote, the same at every width; default 20. */
  readonly k?: number;
  /** Default 0.07. */
  readonly temperature?: number;
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<TruncationCurveOptions> = {
  widths: 'numbers',
  controls: 'strings',
  seeds: 'numbers',
  k: 'number',
  temperature: 'number',
  backend: 'object',
};

/** k-NN top-1 accuracy at one width. */
export interface TruncationPoint {
  readonly width: number;
  /** The first `width` numbers of the feature. */
  readonly truncated: number;
  readonly pca?: number;
  /** One value per seed. */
  readonly random?: readonly number[];
}

export interface TruncationCurveResult {
  /** One per width, in the order asked for. */
  readonly outcomes: readonly Outcome[];
  readonly curve: readonly TruncationPoint[];
}

/** A map of feature rows to fewer numbers. */
type Reduction = (rows: Matrix) => Promise<Matrix>;

/**
 * @param train a series of batches, which is read many times, where it does not fit in memory
 * @throws EvalsError `features`, `labels` or `options`
 */
export async function truncationCurve(
  train: Batched<LabelledFeatures>,
  test: LabelledFeatures,
  options: TruncationCurveOptions = {},
): Promise<TruncationCurveResult> {
  checkOptions('truncationCurve', options, OPTIONS);
  checkSet('truncationCurve: test', test, LABELLED);
  const { dim } = test;
  const { widths = halvings(dim), controls = ['pca', 'random'], seeds = [0, 1, 2], k = 20 } = options;
  const { temperature = 0.07, backend = cpuBackend } = options;
  const bad = widths.find((width) => !Number.isInteger(width) || width < 1 || width > dim);
  checkOption(bad === undefined, `width ${bad} is outside 1..${dim}`);
  const odd = controls.find((control) => control !== 'pca' && control !== 'random');
  checkOption(odd === undefined, `there is no control ${odd}; controls are pca, random`);
  const pca = controls.includes('pca') ? fitPca(await momentsOf(backend, rowsOf(train)), dim) : undefined;
  const randomSeeds = controls.includes('random') ? seeds : [];
  const score = async (reduce: Reduction) => {
    const queries = await reduced(reduce, test);
    return (await knn(eachReduced(reduce, train), queries, { ks: [k], temperature, backend })).outcome;
  };

  const outcomes: Outcome[] = [];
  const curve: TruncationPoint[] = [];
  for (const width of widths) {
    const started = performance.now();
    const truncated = await score(async (rows) => takeColumns(rows, 0, width));
    const principal = pca && (await score((rows) => projectPca(backend, firstDirections(pca, width), rows)));
    const random: number[] = [];
    for (const seed of randomSeeds) {
      random.push((await score(onto(backend, randomSubspace(width, dim, seed)))).value);
    }
    const point = {
      width,
      truncated: truncated.value,
      pca: principal?.value,
      random: random.length ? random : undefined,
    };
    curve.push(point);
    outcomes.push({
      ...truncated,
      task: 'truncation-curve',
      protocol: 'matryoshka',
      variant: `width ${width}`,
      others: otherValues(point),
      hyper: { ...truncated.hyper, width, of: dim },
      seeds: randomSeeds,
      wallMs: elapsed(started),
    });
  }
  return { outcomes, curve };
}

const TRAIN = 'truncationCurve: train';

async function* rowsOf(train: Batched<LabelledFeatures>): AsyncGenerator<Matrix> {
  for await (const batch of batches(TRAIN, train, LABELLED)) yield classTokens(batch);
}

async function reduced(reduce: Reduction, { dim, cls, labels }: LabelledFeatures): Promise<LabelledFeatures> {
  const { data, cols } = await reduce(classTokens({ dim, cls }));
  return { dim: cols, cls: data, labels };
}

async function* eachReduced(reduce: Reduction, train: Batched<LabelledFeatures>): AsyncGenerator<LabelledFeatures> {
  for await (const batch of batches(TRAIN, train, LABELLED)) yield await reduced(reduce, batch);
}

/** D, D/2, ... D/16, as far as they are whole. */
function halvings(dim: number): number[] {
  return [1, 2, 4, 8, 16].map((divisor) => dim / divisor).filter(Number.isInteger);
}

function firstDirections(pca: Pca, count: number): Pca {
  return { ...pca, directions: rowRange(pca.directions, 0, count) };
}

function onto(backend: EvalBackend, basis: Matrix): Reduction {
  return async (rows) => ({ data: await backend.products(rows, basis), rows: rows.rows, cols: basis.rows });
}

function otherValues({ pca, random }: TruncationPoint): Record<string, number> {
  const mean = random && random.reduce((sum, value) => sum + value, 0) / random.length;
  return { ...(pca !== undefined && { pca }), ...(mean !== undefined && { 'random subspace (mean)': mean }) };
}
