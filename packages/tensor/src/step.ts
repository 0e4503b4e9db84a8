/**
 * What a step is, in types only: what it is compiled from, and what can be done with it. Names of state groups, inputs, knobs and outputs are part of
 * the types, so that a misspelt one does not compile.
 */
import type { Shape } from './base/shape';
import type { KernelTime, NonFinite } from './device/diagnose';
import type { Values } from './device/input-writer';
import type { State } from './device/state';
import type { TuningReport } from './device/tuning';
import type { WarmOptions } from './device/warm';
import type { Spec, Tensor } from './graph/op';
import type { Ranks } from './graph/ranks';
import type { StateSpec } from './graph/state-layout';
import type { StateTensors } from './ops/assign';
import type { Plan, PlanReport } from './plan/plan-types';

/** What a step function may return: tensors in nested objects and arrays. */
export type TensorTree = Tensor | undefined | readonly TensorTree[] | { readonly [key: string]: TensorTree };

/** Inputs of a step by name. */
export type BatchSpec = Readonly<Record<string, Spec>>;
/** Shapes of a step's knobs by name. */
export type KnobSpec = Readonly<Record<string, Shape>>;

export interface Signature<B extends BatchSpec, K extends KnobSpec, G extends StateSpec = StateSpec> {
  /** The state the step reads and updates. */
  readonly state?: State<G>;
  /** Inputs written before every run. */
  readonly batch?: B;
  /** Small f32 values that change every step: learning rate, temperatures, seeds. All of them are one upload. */
  readonly knobs?: K;
  /** How many runs of scalar outputs are kept for `metrics` (default 64). */
  readonly metricRows?: number;
  /** Fuse elementwise chains (default true). */
  readonly fusion?: boolean;
  /** One op at a time: every value in a buffer of its own, every kernel a submit of its own (default false; for debugging and tests). */
  readonly isolate?: boolean;
  /**
   * The ranks that run this step together, where it has collectives: as many as these were recorded for. All of them compile it at the same time, since they first make
   * sure that they exchange the same.
   */
  readonly ranks?: Ranks;
  /** Longest single submit in seconds, by the target's rates (default 0.25). */
  readonly maxSubmitSeconds?: number;
}

export type StepFunction<
  B extends BatchSpec,
  K extends KnobSpec,
  G extends StateSpec = StateSpec,
  O extends TensorTree = TensorTree,
> = (
  state: StateTensors<G>,
  batch: { readonly [name in keyof B]: Tensor },
  knobs: { readonly [name in keyof K]: Tensor },
) => O;

/** Paths to the tensors of a tree: `loss`, `levels.0`; `result` where the tree is a tensor itself. */
export type OutputPath<O> = [O] extends [Tensor | undefined] ? 'result' : PathsOf<O, 'any'>;
/** Those that are there whatever happens, whose tensors are not `T | undefined`. */
type SurePath<O> = [O] extends [Tensor] ? 'result' : PathsOf<O, 'sure'>;

type PathsOf<T, Which> = TensorTree extends T
  ? string
  : T extends Tensor | undefined
    ? never
    : T extends readonly (infer E)[]
      ? PathsUnder<`${number}`, E, Which>
      : { [key in keyof T & (string | number)]: PathsUnder<`${key}`, T[key], Which> }[keyof T & (string | number)];

type PathsUnder<Key extends string, V, Which> = TensorTree extends V
  ? string
  : undefined extends V
    ? Which extends 'sure'
      ? never
      : PathsUnder<Key, Exclude<V, undefined>, Which>
    : V extends Tensor
      ? Key
      : `${Key}.${PathsOf<V, Which> & string}`;

/** Scalar outputs of one run by path. Reading another output from it throws `TensorError`, which says why it is not there. */
export type MetricRow<O = TensorTree> = { readonly [path in SurePath<O>]: number } & {
  readonly [path in OutputPath<O>]?: number;
};

/** Scalar outputs of the last runs. */
export interface Metrics<O = TensorTree> {
  /** One a run, oldest first. */
  readonly rows: readonly MetricRow<O>[];
  /** Runs whose values were overwritten before they were asked for: more than `metricRows` ran in between. */
  readonly dropped: number;
}

export interface Step<B extends BatchSpec, K extends KnobSpec, O = TensorTree> extends Disposable {
  readonly report: PlanReport;
  readonly plan: Plan;
  /** Seconds spent compiling pipelines, and how many were new. */
  readonly compileTime: { readonly seconds: number; readonly pipelines: number };
  /** Where its kernels' variants come from, and what measuring them took, which `compileTime` is without. */
  readonly tuning: TuningReport;
  /**
   * Compiles what a software adapter would only compile when the kernels first run, one after the other; the event loop goes on between them.
   * State and outputs stay as they are. Returns at once on GPUs, and where it was done before. Rejects when `signal` is aborted.
   */
  warm(options?: WarmOptions): Promise<void>;
  /** The device buffer behind a batch input, for kernels that fill it in place; it counts as given from then on. */
  inputBuffer(name: keyof B & string): GPUBuffer;
  /**
   * Encodes and submits one run. The first one needs every input and knob; later, what is left out keeps its last value. Throws `TensorError`: `argument`
   * for a name that the step does not have or a value that was never given, `shape` for a wrong number of values.
   *
   * With collectives, it returns at once as well, and the run goes on in the background: await `done` before the next one, of this step or of another
   * with the same state or ranks, and before writing state or filling `inputBuffer`; `state` is thrown otherwise, and after a run that failed.
   */
  run(
    batch?: { readonly [name in keyof B]?: ArrayLike<number> },
    knobs?: { readonly [name in keyof K]?: Values },
  ): void;
  /** Resolves when everything submitted so far has run. With collectives, when the run at hand is over; rejects with what an exchange failed with. */
  done(): Promise<void>;
  /** Reads an output of the last run, when that is over, by its path in the returned tree (`loss`, `levels.0`). Throws `TensorError` with code `state` before the first. */
  read(path: OutputPath<O>): Promise<Float32Array | Int32Array | Uint32Array>;
  /** Scalar outputs of all runs since the last call, at most `metricRows` of them. Does not stall runs submitted later. */
  metrics(): Promise<Metrics<O>>;
  /** Scalar outputs of the last run; `metrics` gives them too. Throws `TensorError` with code `state` before the first run. */
  latest(): Promise<MetricRow<O>>;
  /** A run like any other, with a timestamp pair around every kernel; milliseconds by op. Needs `target.timestamps`. */
  profile(
    batch?: { readonly [name in keyof B]?: ArrayLike<number> },
    knobs?: { readonly [name in keyof K]?: Values },
  ): Promise<readonly KernelTime[]>;
  /** Runs kernel by kernel until one writes an infinity or NaN; names it, or returns undefined. Counts as a run, which all ranks must make. */
  findNonFinite(): Promise<NonFinite | undefined>;
  dispose(): void;
}
