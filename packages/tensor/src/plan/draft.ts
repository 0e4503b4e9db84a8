/** Tasks become drafts of steps: kernels, and copies of stored values. A draft names tensors; where they lie is decided later. */
import { TensorError } from '../base/errors';
import { sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Binding, GraphNode, Kernel, Tensor } from '../graph/op';
import { elementwiseKernel } from '../kernels/elementwise-program';
import type { Task } from './fuse';

export type Draft = KernelDraft | CopyDraft;

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

export const draftSteps = (tasks: readonly Task[], target: Target): Draft[] =>
  tasks.flatMap((task): Draft[] => copiesOf(task) ?? kernelsOf(task, target));

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

function kernelsOf(task: Task, target: Target): KernelDraft[] {
  const node = task.nodes.at(-1)!;
  if (node.outputs.every((output) => sizeOf(output.shape) === 0)) return [];
  return lower(task, target).map((kernel) => ({ kind: 'kernel', kernel, node, members: task.nodes }));
}

/** The kernels of a task, which are called after all its ops where they compute more than the root's. */
function lower({ root, program, nodes }: Task, target: Target): readonly Kernel[] {
  const label = nodes.map(({ op }) => op.name).join('+');
  if (!root) return [elementwiseKernel(label, program!, target)];
  const { inputs, outputs, attrs, op } = root;
  if (!op.lower) throw new TensorError('argument', `op ${op.name} has no kernel`);
  const kernels = op.lower({ inputs, outputs, attrs, target, ...(program ? { epilogue: program } : {}) });
  return kernels.map((kernel) => (kernel.label === op.name ? { ...kernel, label } : kernel));
}

/** What a step reads and writes. */
export function bindingsOf(draft: Draft): readonly Binding[] {
  if (draft.kind === 'kernel') return draft.kernel.bindings;
  return [
    { tensor: draft.from, access: 'read' },
    { tensor: draft.into, access: 'read_write' },
  ];
}
