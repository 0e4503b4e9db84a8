/**
 * Records the graph of a step, and walks it. Calling an op runs nothing: it appends a node that names its op, its inputs and its
 * attributes. A tensor is one output of a node. Ids grow in recording order, and a compiled step executes in that order, so a program reads
 * top to bottom.
 */
import { markSite, opError, siteOf } from '../base/errors';
import { COPY, refuseOtherCopy, THIS_COPY } from './copy';
import type { GraphNode, Op, Tensor } from './op';

let nextId = 0;
let currentBlock: object | undefined;
let currentEffects: GraphNode[] | undefined;

/** Records `op` and returns its outputs. Throws `TensorError`: what the op refuses, and `copies` for inputs of another copy of this package. */
export function record<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A): readonly Tensor[] {
  for (const input of inputs) refuseOtherCopy(`an input of ${op.name}`, checkTensor(op.name, input).node);
  const specs = op.infer(inputs, attrs);
  const outputs: Tensor[] = [];
  const mark = markSite();
  const node: GraphNode<A> = {
    [COPY]: THIS_COPY,
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
    outputs.push({ shape: spec.shape, dtype: spec.dtype, node: node as GraphNode, index });
  });
  if (op.mutates) currentEffects?.push(node as GraphNode);
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

/** All nodes that `roots` depend on, themselves included, in recording order. Throws `TensorError` with code `copies`. */
export function reachable(roots: readonly Tensor[]): GraphNode[] {
  for (const { node } of roots) refuseOtherCopy(`a result of ${node.op.name}`, node);
  const seen = new Set<GraphNode>();
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

/** The tensor as it is. Throws `TensorError` with code `argument` for anything else that plain JavaScript lets through. */
export function checkTensor(op: string, value: Tensor): Tensor {
  return isTensor(value) ? value : opError('argument', op, `got ${kindOf(value)} where a tensor is needed; ${HINT}`);
}

/** The numbers as they are: a shape, axes, an order. Throws `TensorError` with code `argument` for what is no list. */
export function checkList(op: string, name: string, value: readonly number[]): readonly number[] {
  return Array.isArray(value)
    ? value
    : opError('argument', op, `${name} is ${kindOf(value)}; give a list of whole numbers`);
}

const HINT = 'values go into a step as an input (batch, knobs), as state, or by constant(values, shape)';

const kindOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? `an object (${value.constructor?.name})` : `${String(value)}`;

/** Runs a step function and collects the nodes that update state, whether or not the result depends on them. */
export function recordStep<T>(body: () => T): { result: T; effects: readonly GraphNode[] } {
  const outer = currentEffects;
  const effects: GraphNode[] = [];
  currentEffects = effects;
  try {
    return { result: body(), effects };
  } finally {
    currentEffects = outer;
  }
}
