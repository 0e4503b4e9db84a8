/**
 * What an op is, in types: a shape rule, a reference in f64, a gradient and kernels. Calling an op records a graph node; a tensor is
 * one output of a node; a kernel is WGSL text with the tensors it binds; a program is what a chain of elementwise ops computes.
 */
import type { DType } from '../base/dtype';
import type { Shape } from '../base/shape';
import type { Target } from '../base/target';
import type { Marked } from './copy';
import type { Reduction } from './ranks';

export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A spec in one word: `spec([16, 4])`, `spec([16], 'u32')`. */
export function spec(shape: Shape): { shape: Shape; dtype: 'f32' };
export function spec<D extends DType>(shape: Shape, dtype: D): { shape: Shape; dtype: D };
export function spec(shape: Shape, dtype: DType = 'f32'): Spec {
  return { shape, dtype };
}

/** One output of a node: a value in the recorded step, not a buffer. Never freed by hand. */
export interface Tensor extends Spec {
  readonly node: GraphNode;
  /** Which output of `node` this is. */
  readonly index: number;
}

export interface GraphNode<A = unknown> extends Marked {
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
  /** The op computes nothing: it copies inputs into the inputs that it mutates. */
  copies?(attrs: A): readonly InputCopy[];
  /** The op computes nothing: ranks exchange its inputs for its outputs. */
  exchanges?(attrs: A): readonly Exchange[];
  /** Nothing computes the value: it is given before the step (input), kept between steps (state), or part of it (constant, literal). */
  readonly source?: 'input' | 'state' | 'constant' | 'literal';
  /** False: `grad` takes the outputs for constants. */
  readonly differentiable?: false;
}

/** Input `from`, copied into input `into` from that one's element `offset` on. */
export interface InputCopy {
  readonly from: number;
  readonly into: number;
  readonly offset: number;
}

/** A stretch of an input that ranks exchange for a stretch of an output. */
export interface Exchange {
  readonly kind: 'allReduce' | 'allGather' | 'reduceScatter';
  /** How values of the ranks become one; without meaning where they are gathered. */
  readonly how: Reduction;
  /** R, the number of ranks. */
  readonly size: number;
  readonly input: number;
  /** Elements from the start of the input. */
  readonly inputOffset: number;
  readonly output: number;
  readonly outputOffset: number;
  /** Elements that this rank sends (default: the whole input). */
  readonly elements?: number;
  /** Name of a knob: in a run where it is 0 nothing is exchanged. */
  readonly when: string | undefined;
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

export interface LowerArgs<A> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attrs: A;
  readonly target: Target;
  /** For ops with `fusesEpilogue`: what becomes of each result; call `writeProgram` with it instead of storing. */
  readonly epilogue?: Program;
}

/** An element of an array, by its index. */
export type ElementAt = (index: number) => number;

/** Kernels for the same result. */
export interface Variants {
  /** What may share a choice: the op, its layout, type and sizes. */
  readonly key: string;
  /** Names of all, the default first; at least one. */
  readonly names: readonly string[];
  /** Those that are worth measuring, the default first (default: all). */
  readonly candidates?: readonly string[];
  /** Arithmetic of one run: what takes longest is measured first (default: 0). */
  readonly flops?: number;
  /** The plain variant: it is taken where no other one is right. Without `element`, the others must agree with it. */
  readonly reference: string;
  /** An element of the first output in f64, from elements of the inputs: what every variant is checked with at sizes that no plain kernel is run at. */
  readonly element?: (inputs: readonly ElementAt[], at: number) => number;
  /**
   * Inputs and attributes to measure with, where one choice serves every size. The default stays unless another variant is faster with all of
   * them. Such variants differ in speed alone: one whose bits are not the reference's is never chosen, so that no result depends on the choice.
   */
  readonly samples?: readonly { readonly inputs: readonly Spec[]; readonly attrs: unknown }[];
}

export interface Kernel {
  readonly label: string;
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  /** Little-endian contents of the uniform block, in declaration order. */
  readonly uniforms: Uint32Array<ArrayBuffer>;
  readonly workgroups: readonly [number, number, number];
  /** What the kernel spends its time on, and so which rate it runs at. */
  readonly kind: KernelKind;
  readonly flops: number;
  /** Bytes moved if everything that the kernel touches is touched once, and once more what it both reads and writes. */
  readonly bytes: number;
  /**
   * The longest loop of one thread over memory, in iterations: the rows that a column sum adds one after another, the steps of a lane along its row.
   * Each waits for what it reads, whatever the rest of the adapter does. The steps of a tiled product are none of these: its rate contains their waiting.
   */
  readonly serial: number;
}

/** Kinds of kernels, as a profile groups them (`plan/cost.ts` says at which rate each of them runs). */
export type KernelKind =
  | 'matrix product'
  | 'product'
  | 'attention'
  | 'attention gradient'
  | 'matrix attention'
  | 'matrix attention gradient'
  | 'reduction'
  | 'parameter gradient'
  | 'rows'
  | 'prototypes'
  | 'elementwise'
  | 'cast'
  | 'optimizer';

/** One buffer of a kernel. */
export interface Binding {
  readonly tensor: Storage;
  readonly access: Access;
}

export type Access = 'read' | 'read_write';

/** What a kernel binds: a tensor of the graph, or scratch memory that lives only while its op runs. */
export type Storage = Tensor | Scratch;
export interface Scratch extends Spec {
  readonly scratch: true;
}

/** Straight-line elementwise code over one iteration space. */
export interface Program {
  /** Iteration space; every value broadcasts to it. */
  readonly shape: Shape;
  readonly values: readonly Value[];
  /** `tensor` is what the graph calls the stored value, `into` where it goes (state for an assignment, itself otherwise). */
  readonly stores: readonly { readonly value: number; readonly tensor: Tensor; readonly into: Tensor }[];
}

/** One line of a program: an element of a tensor, a number, the result of the kernel whose epilogue it is, or an op of earlier lines. */
export type Value =
  | { readonly kind: 'load'; readonly tensor: Tensor; readonly shape: Shape }
  | { readonly kind: 'literal'; readonly value: number; readonly dtype: DType }
  | { readonly kind: 'root'; readonly dtype: DType }
  | { readonly kind: 'op'; readonly node: GraphNode; readonly args: readonly number[] };
