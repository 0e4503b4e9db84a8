/** What a plan is, in types only: the steps of a replay, where every value lies, and what it costs. */
import type { Target } from '../base/target';
import type { Exchange, GraphNode, Kernel, Tensor } from '../graph/op';
import type { StateLayout } from '../graph/state-layout';

export interface PlanInput {
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Nodes that update state, kept whether or not an output depends on them. */
  readonly effects: readonly GraphNode[];
  readonly state: StateLayout;
  readonly target: Target;
  /** Fuse elementwise chains (default true). Off: one kernel per op, for debugging and tests. */
  readonly fusion?: boolean;
  /** Let values whose lives do not overlap share memory (default true). */
  readonly shareSlots?: boolean;
  /** Let steps that do not need what ranks exchange go on meanwhile (default true). Off: the order in which they were recorded. */
  readonly overlap?: boolean;
}

export interface Plan extends GivenValues {
  readonly target: Target;
  readonly steps: readonly PlanStep[];
  readonly slotBytes: readonly number[];
  readonly outputs: Readonly<Record<string, { readonly tensor: Tensor; readonly address: Address }>>;
  readonly report: PlanReport;
  readonly nodes: readonly GraphNode[];
}

export type PlanStep =
  | {
      readonly kind: 'kernel';
      readonly kernel: Kernel;
      /** Of each binding of the kernel. */
      readonly addresses: readonly Address[];
      readonly node: GraphNode;
      /** All ops that are computed together, by this kernel and those beside it that have the same list. */
      readonly members: readonly GraphNode[];
    }
  | { readonly kind: 'copy'; readonly from: Address; readonly to: Address; readonly node: GraphNode }
  /** A value leaves for the other ranks, and later what became of it comes back: the same exchange in both. */
  | { readonly kind: 'send'; readonly exchange: PlannedExchange; readonly node: GraphNode }
  | { readonly kind: 'receive'; readonly exchange: PlannedExchange; readonly node: GraphNode };

/** What this rank sends at a collective, and where the result goes. */
export interface PlannedExchange extends Pick<Exchange, 'kind' | 'how' | 'size' | 'when'> {
  /** Place among the exchanges of the plan: they are sent in this order, on every rank. */
  readonly index: number;
  readonly from: Address;
  readonly to: Address;
  /** Elements that this rank sends, and that it gets. */
  readonly sent: number;
  readonly received: number;
  readonly node: GraphNode;
}

/** Where a value's bytes are. */
export interface Address {
  readonly place: Place;
  /** Bytes from the start of the place's buffer. */
  readonly offset: number;
  readonly bytes: number;
}

export type Place =
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'state'; readonly group: string; readonly buffer: number }
  | { readonly kind: 'batch'; readonly name: string }
  | { readonly kind: 'knobs' }
  | { readonly kind: 'constant'; readonly index: number };

/** What is uploaded, once or before every run. */
export interface GivenValues {
  readonly constants: readonly { readonly tensor: Tensor; readonly data: Float64Array }[];
  readonly batch: readonly { readonly name: string; readonly tensor: Tensor }[];
  /** Knobs and their byte offsets in the knob buffer. */
  readonly knobs: readonly { readonly name: string; readonly tensor: Tensor; readonly offset: number }[];
  readonly knobBytes: number;
}

export interface PlanReport {
  readonly kernels: number;
  /** Kernels that differ in their text: so many are compiled. */
  readonly distinctKernels: number;
  readonly copies: number;
  /** Exchanges with other ranks. */
  readonly exchanges: number;
  readonly flops: number;
  readonly bytesMoved: number;
  /** State by group, then `inputs`, `constants`, `activations` (the slots together), `staging` where ranks exchange values. */
  readonly bytes: Readonly<Record<string, number>>;
  readonly totalBytes: number;
  /** Most bytes of intermediate values alive at once, and the op that runs then. */
  readonly peak: {
    readonly bytes: number;
    readonly at: string;
    readonly site: string;
    /** What is alive then, values of one op, type and shape together, largest first. */
    readonly alive: readonly { readonly name: string; readonly count: number; readonly bytes: number }[];
  };
  readonly largest: readonly { readonly name: string; readonly bytes: number }[];
  /** Seconds, from the target's rates. */
  readonly estimatedSeconds: number;
}
