/**
 * Tasks become drafts of steps: kernels, copies of stored values, and the two halves of an exchange between ranks. A draft names tensors; where they lie is
 * decided later.
 */
import { TensorError } from '../base/errors';
import { sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Binding, Exchange, GraphNode, Kernel, Tensor } from '../graph/op';
import { elementwiseKernel, summingKernel } from '../kernels/elementwise-program';
import type { Task } from './fuse';

export type Draft = KernelDraft | CopyDraft | ExchangeDraft<'send'> | ExchangeDraft<'receive'>;

interface Finished {
  /** The op that finishes here, and all ops that the step computes. */
  readonly node: GraphNode;
  readonly members: readonly GraphNode[];
}

export interface KernelDraft extends Finished {
  readonly kind: 'kernel';
  readonly kernel: Kernel;
}

/** `from` goes into the state `into`, from its element `offset` on. */
export interface CopyDraft extends Finished {
  readonly kind: 'copy';
  readonly from: Tensor;
  readonly into: Tensor;
  readonly offset: number;
}

/** A value leaves for the other ranks (send), or what became of it comes back (receive). */
export interface ExchangeDraft<Half extends 'send' | 'receive'> extends Finished {
  readonly kind: Half;
  readonly exchange: DraftedExchange;
}

/** `sent` elements of `from` go out, `received` elements of `into` come in. The same object in both halves. */
export interface DraftedExchange extends Pick<Exchange, 'kind' | 'how' | 'size' | 'when'> {
  readonly from: Tensor;
  readonly fromOffset: number;
  readonly sent: number;
  readonly into: Tensor;
  readonly intoOffset: number;
  readonly received: number;
}

export const draftSteps = (tasks: readonly Task[], target: Target): Draft[] =>
  tasks.flatMap((task): Draft[] => copiesOf(task) ?? exchangesOf(task) ?? kernelsOf(task, target));

function copiesOf({ root, nodes }: Task): CopyDraft[] | undefined {
  return root?.op.copies?.(root.attrs).map(({ from, into, offset }) => ({
    kind: 'copy',
    from: root.inputs[from]!,
    into: root.inputs[into]!,
    offset,
    node: root,
    members: nodes,
  }));
}

/** All halves that send before all that receive: values of one op do not wait for one another. */
function exchangesOf({ root, nodes }: Task): Draft[] | undefined {
  if (!root?.op.exchanges) return undefined;
  const exchanges = root.op
    .exchanges(root.attrs)
    .map((exchange) => draftExchange(root, exchange))
    .filter(({ sent }) => sent > 0);
  const finished = { node: root, members: nodes };
  return [
    ...exchanges.map((exchange): Draft => ({ kind: 'send', exchange, ...finished })),
    ...exchanges.map((exchange): Draft => ({ kind: 'receive', exchange, ...finished })),
  ];
}

function draftExchange({ inputs, outputs }: GraphNode, exchange: Exchange): DraftedExchange {
  const { kind, how, size, when, inputOffset, outputOffset } = exchange;
  const [from, into] = [inputs[exchange.input]!, outputs[exchange.output]!];
  const sent = exchange.elements ?? sizeOf(from.shape);
  const received = { allReduce: sent, allGather: sent * size, reduceScatter: sent / size }[kind];
  return { kind, how, size, when, from, fromOffset: inputOffset, sent, into, intoOffset: outputOffset, received };
}

function kernelsOf(task: Task, target: Target): KernelDraft[] {
  const node = task.nodes.at(-1)!;
  if (node.outputs.every((output) => sizeOf(output.shape) === 0)) return [];
  return lower(task, target).map((kernel) => ({ kind: 'kernel', kernel, node, members: task.members ?? task.nodes }));
}

/** The kernels of a task, which are called after all its ops where they compute more than the root's. */
function lower({ root, program, nodes, sums, begun }: Task, target: Target): readonly Kernel[] {
  const label = `${nodes.map(({ op }) => op.name).join('+')}${sums ? ', summed' : ''}`;
  if (!root) return [sums ? summingKernel(label, program!, sums, target) : elementwiseKernel(label, program!, target)];
  const { inputs, outputs, attrs, op } = root;
  if (!op.lower) throw new TensorError('argument', `op ${op.name} has no kernel`);
  const kernels = op.lower({
    inputs,
    outputs,
    attrs,
    target,
    ...(program && { epilogue: program }),
    ...(sums && { sums }),
    ...(begun && { begun }),
  });
  return kernels.map((kernel) => (kernel.label === op.name ? { ...kernel, label } : kernel));
}

/** What a step reads and writes. */
export function bindingsOf(draft: Draft): readonly Binding[] {
  if (draft.kind === 'kernel') return draft.kernel.bindings;
  if (draft.kind === 'send') return [{ tensor: draft.exchange.from, access: 'read' }];
  if (draft.kind === 'receive') return [{ tensor: draft.exchange.into, access: 'read_write' }];
  return [
    { tensor: draft.from, access: 'read' },
    { tensor: draft.into, access: 'read_write' },
  ];
}
