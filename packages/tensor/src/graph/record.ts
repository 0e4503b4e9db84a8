/**
 * The recorded graph. Calling an op runs nothing: it appends a node that names its op, its inputs and its attributes. A tensor is one
 * output of a node. Node ids grow in recording order, and a compiled step executes in that order, so a program reads top to bottom.
 */
import type { DType } from '../base/dtype';
import { markSite, siteOf } from '../base/errors';
import type { Shape } from '../base/shape';
import type { Kernel, LowerArgs } from '../kernels/kernel-builder';

export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One output of a node: a value in the recorded step, not a buffer. Never freed by hand. */
export interface Tensor extends Spec {
  readonly node: Node;
  /** Which output of `node` this is. */
  readonly index: number;
}

/** An array of the f64 interpreter. Integers and booleans are held as exact doubles. */
export interface NdArray {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export interface GradientArgs<A> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The outputs as the forward pass left them. The same as `outputs` but in a rematerialisation block, where these are kept and those computed again. */
  readonly forward: readonly Tensor[];
  readonly attrs: A;
  /** Gradient of the loss with respect to each output; undefined where the loss does not depend on it. */
  readonly grads: readonly (Tensor | undefined)[];
}

/** Kernels for the same result. */
export interface Variants {
  /** What may share a choice: the op, its layout and type, about its sizes. */
  readonly key: string;
  /** Names, the default first; at least one. */
  readonly names: readonly string[];
  /** The variant that the others must agree with. */
  readonly reference: string;
}

/** Everything the engine knows of an op. One op, one file. */
export interface Op<A = unknown> {
  readonly name: string;
  /** Shapes and types of the outputs; throws through `opError` if the inputs do not fit. */
  infer(inputs: readonly Spec[], attrs: A): Spec[];
  /** The op in plain f64 TypeScript: one data array per output. */
  reference(inputs: readonly NdArray[], attrs: A, outputs: readonly Spec[]): Float64Array[];
  /** Gradients with respect to the inputs, recorded with other ops; undefined for an input that gets none. */
  gradient?(args: GradientArgs<A>): (Tensor | undefined)[];
  /** WGSL kernels that compute the op. Absent for elementwise ops and views. */
  lower?(args: LowerArgs<A>): Kernel[];
  /** What `lower` can choose between by `target.tuned`, for the tuner to measure. */
  variants?(args: LowerArgs<A>): Variants;
  /** Elementwise ops: a WGSL expression of its arguments, valid for scalars and vectors alike (see `elementwise.ts`). */
  expression?(args: readonly string[], attrs: A): string;
  /** The output is the same bytes as input 0, from element `offset` on: no kernel runs. */
  view?(attrs: A): { offset: number };
  /** Kernels of this op end in an elementwise program, so that a chain of elementwise ops after it can join its kernel. */
  readonly fusesEpilogue?: boolean;
  /** Output i overwrites the storage of input `mutates[i]` (which must be state). */
  readonly mutates?: readonly number[];
}

export interface Node<A = unknown> {
  readonly id: number;
  readonly op: Op<A>;
  readonly inputs: readonly Tensor[];
  readonly attrs: A;
  readonly outputs: readonly Tensor[];
  /** Rematerialisation block this node was recorded in, if any. */
  readonly block: object | undefined;
  /** The user's line that recorded it. */
  readonly site: string;
}

let nextId = 0;
let currentBlock: object | undefined;
let currentEffects: Node[] | undefined;

/** Records `op` and returns its outputs. */
export function record<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A): readonly Tensor[] {
  const specs = op.infer(inputs, attrs);
  const outputs: Tensor[] = [];
  const mark = markSite();
  const node: Node<A> = {
    id: nextId++,
    op,
    inputs,
    attrs,
    outputs,
    block: currentBlock,
    get site() {
      return siteOf(mark);
    },
  };
  specs.forEach((spec, index) => {
    outputs.push({ shape: spec.shape, dtype: spec.dtype, node: node as Node, index });
  });
  if (op.mutates) currentEffects?.push(node as Node);
  return outputs;
}

/** Records an op that has one output. */
export const record1 = <A>(op: Op<A>, inputs: readonly Tensor[], attrs: A): Tensor => record(op, inputs, attrs)[0]!;

/** Runs `body` with every node it records marked as part of `block`. */
export function recordInBlock<T>(block: object | undefined, body: () => T): T {
  const outer = currentBlock;
  currentBlock = block;
  try {
    return body();
  } finally {
    currentBlock = outer;
  }
}

/** All nodes that `roots` depend on, themselves included, in recording order. */
export function reachable(roots: readonly Tensor[]): Node[] {
  const seen = new Set<Node>();
  const stack = roots.map((tensor) => tensor.node);
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) stack.push(input.node);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

export const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'node' in value && 'dtype' in value;

/** Runs a step function and collects the nodes that update state, whether or not the result depends on them. */
export function recordStep<T>(body: () => T): { result: T; effects: readonly Node[] } {
  const outer = currentEffects;
  const effects: Node[] = [];
  currentEffects = effects;
  try {
    return { result: body(), effects };
  } finally {
    currentEffects = outer;
  }
}
