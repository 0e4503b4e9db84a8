/**
 * The few heavy operations that the evaluations share. An evaluation is written once against this interface; the CPU
 * backend runs it anywhere, and an accelerated one replaces only these. What must stay on a device between calls lives
 * in a session, which its user disposes of (`using`).
 *
 * Every implementation keeps to the same rules: equal scores are ordered by the lowest index, sums run in a fixed
 * order, counts are exact integers.
 */
import type { Matrix } from '../matrix';

export interface EvalBackend {
  readonly name: string;
  /** Inner products of every row of `a` `[n, D]` with every row of `b` `[m, D]`: `[n, m]`. */
  products(a: Matrix, b: Matrix): Promise<Float32Array>;
  /** The `k` largest inner products of each query with a bank that is streamed in tiles. */
  openTopK(queries: Matrix, k: number): TopKSession;
  /** Sums and second moments of rows that are streamed in tiles. */
  openGram(cols: number): GramSession;
  /** Nearest centroids, and the sums that Lloyd's step needs, over points that stay in place. */
  openKMeans(points: Matrix): KMeansSession;
  /** The class of each pixel: scores on a patch grid, upsampled bilinearly, then the largest (lowest class on ties). */
  labelMap(scores: ScoreGrid, size: readonly [rows: number, cols: number]): Promise<Int32Array>;
  /** How often each (prediction, target) pair occurs. */
  countPairs(pairs: LabelPairs): Promise<Float64Array>;
  /** Many linear classifiers trained at once on shared features by SGD with momentum. */
  openLinearGrid(spec: LinearGridSpec): LinearGridSession;
  /** Cross-entropy of softmax regression and its gradient, for a second-order solver. */
  openSoftmaxRegression(problem: SoftmaxProblem): SoftmaxRegressionSession;
}

/** Neighbours of each query, best first. */
export interface TopK {
  /** Neighbours per query: as asked for, or the size of the bank where that is smaller. */
  readonly k: number;
  /** Inner products `[queries, k]`, descending; equal ones in ascending order of index. */
  readonly scores: Float32Array;
  /** Row numbers in the bank `[queries, k]`, counted over all tiles. */
  readonly indices: Int32Array;
}

export interface TopKSession extends Disposable {
  /** Adds the next rows of the bank. */
  add(tile: Matrix): Promise<void>;
  /** The best of the rows so far; others may follow. */
  result(): Promise<TopK>;
  /**
   * Before the first row: goes on from what the `result` of a search for the same queries was after `seen` rows, to the same bits.
   *
   * @throws EvalsError `options` where it is of other queries
   */
  load(found: TopK, seen: number): void;
}

/** First and second moments of `rows` rows of width `cols`, in f64. */
export interface Gram {
  readonly rows: number;
  readonly cols: number;
  /** Sum of the rows `[cols]`. */
  readonly sum: Float64Array;
  /** Sum of outer products, `X^T X`, `[cols, cols]`. */
  readonly products: Float64Array;
}

export interface GramSession extends Disposable {
  add(tile: Matrix): Promise<void>;
  result(): Promise<Gram>;
}

/** Nearest centroid of each point (lowest number on ties) and the squared Euclidean distance to it. */
export interface Assignment {
  readonly labels: Int32Array;
  readonly distances: Float64Array;
}

/** Per centroid: the sum `[k, D]` and number `[k]` of the points nearest to it; and the sum of squared distances. */
export interface ClusterSums {
  readonly sums: Float64Array;
  readonly counts: Float64Array;
  readonly inertia: number;
}

export interface KMeansSession extends Disposable {
  assign(centroids: Matrix): Promise<Assignment>;
  accumulate(centroids: Matrix): Promise<ClusterSums>;
}

/** Class scores of one image, `[grid[0] * grid[1], classes]`. */
export interface ScoreGrid {
  readonly scores: Matrix;
  readonly grid: readonly [rows: number, cols: number];
}

/** Two label arrays of equal length; a pair counts when both are in range and the target is not `ignore`. */
export interface LabelPairs {
  readonly predicted: ArrayLike<number>;
  readonly target: ArrayLike<number>;
  /** Number of predicted and of target labels; the result is `[predictions, targets]`. */
  readonly shape: readonly [predictions: number, targets: number];
  readonly ignore?: number;
}

/** A linear map to class scores: `logits = x weight^T + bias`. */
export interface LinearClassifier {
  /** `[C, D]`. */
  readonly weight: Matrix;
  /** `[C]`. */
  readonly bias: Float32Array;
}

/**
 * One member of a grid: it reads columns `start` to `end` of the shared features and starts from `initial`. That is read once for a session, one
 * head after the other: of many large heads it is a getter that makes it then, since all at once may not fit in memory.
 */
export interface LinearHead {
  readonly start: number;
  readonly end: number;
  readonly learningRate: number;
  readonly initial: LinearClassifier;
}

export interface LinearGridSpec {
  /** Width of the shared feature rows. */
  readonly inputs: number;
  readonly classes: number;
  readonly heads: readonly LinearHead[];
  readonly momentum: number;
  readonly weightDecay: number;
  /** Targets with this label take no part in the loss. */
  readonly ignore?: number;
  /** Dense form: rows are the patches of whole images, and logits are upsampled bilinearly before the pixel loss. */
  readonly upsample?: {
    readonly from: readonly [rows: number, cols: number];
    readonly to: readonly [rows: number, cols: number];
  };
}

export interface LinearGridSession extends Disposable {
  /**
   * One step on a batch `x` `[B, inputs]` (dense form: `[B * from, inputs]`) with one target per row (dense form:
   * per pixel of `to`). Every head moves with its learning rate times `rate`. Returns each head's mean cross-entropy
   * before the step; a batch whose targets are all ignored changes nothing and has loss 0.
   *
   * @throws EvalsError `features` or `labels`
   */
  step(x: Matrix, labels: Int32Array, rate: number): Promise<Float64Array>;
  /** The classifiers as they are now. */
  heads(): Promise<LinearClassifier[]>;
  /** All that steps change, by name; arrays may be the session's own, good until the next step. */
  save(): Promise<LinearGridState>;
  /**
   * Goes on from what another session of the same heads and backend saved, to the same bits.
   *
   * @throws EvalsError `options` where it is of other heads
   */
  load(saved: LinearGridState): void;
}

/** Weights, biases and their momenta of stacked heads, by name. */
export type LinearGridState = Readonly<Record<string, Float32Array | Float64Array>>;

export interface SoftmaxProblem {
  readonly x: { readonly data: Float32Array | Float64Array; readonly rows: number; readonly cols: number };
  readonly labels: Int32Array;
  readonly classes: number;
}

export interface SoftmaxRegressionSession extends Disposable {
  /**
   * Sum over rows of the cross-entropy at `parameters` (weights `[C, D]`, then biases `[C]`), and its gradient of the
   * same layout, written into `gradient`.
   */
  evaluate(parameters: Float64Array, gradient: Float64Array): Promise<number>;
  /**
   * Where `evaluate` is not f64 throughout: the same in f64, slowly. From then on `evaluate` is good to f32 of the difference from this
   * point, so that a solver which moves its centre along comes as close to the optimum as in f64.
   */
  centre?(parameters: Float64Array, gradient: Float64Array): Promise<number>;
}
