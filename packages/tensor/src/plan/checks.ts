/** What a plan is refused for: state used after its update, updates of no state, bindings beyond limits. */
import { TensorError } from '../base/errors';
import { showShape } from '../base/shape';
import type { Target } from '../base/target';
import type { GraphNode, Tensor } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import { isState } from '../ops/sources';
import { bindingsOf, type Draft } from './draft';
import { ownerOf } from './owner';
import type { PlanStep } from './plan-types';
import { overlap, type Range, rangeOf } from './range';

/** Elements of a buffer of state. */
interface StateRange extends Range {
  readonly name: string;
  /** The updates that the tensor is the result of. */
  readonly updates: readonly GraphNode[];
}

function stateRange(tensor: Tensor): StateRange | undefined {
  const { owner, updates } = ownerOf(tensor);
  const { node } = owner;
  return isState(node) ? { ...rangeOf(tensor)!, name: `${node.attrs.group}/${node.attrs.name}`, updates } : undefined;
}

/** A state tensor must not be read under its old name after an update of the same bytes. */
export function checkUpdateOrder(steps: readonly Draft[], nodes: readonly GraphNode[]): void {
  const updates = nodes.flatMap((node) =>
    (node.op.mutates ?? []).map((input) => ({ node, range: stateRange(node.inputs[input]!) ?? noState(node, input) })),
  );
  if (updates.length === 0) return;
  for (const draft of steps) {
    const { node, members } = draft;
    for (const { tensor } of bindingsOf(draft)) {
      const range = isScratch(tensor) ? undefined : stateRange(tensor);
      if (!range) continue;
      const latest = updates.findLast(
        (update) => update.node.id < node.id && !members.includes(update.node) && overlap(update.range, range),
      );
      if (latest && !range.updates.includes(latest.node))
        throw new TensorError(
          'state',
          `"${range.name}" is used at ${node.site} after its update at ${latest.node.site}; use the tensor that the update returned`,
        );
    }
  }
}

function noState({ op, inputs, site }: GraphNode, input: number): never {
  const { dtype, shape } = inputs[input]!;
  throw new TensorError(
    'state',
    `${op.name} at ${site} overwrites ${dtype} ${showShape(shape)}, which is no state; only tensors of a state group can be updated`,
  );
}

/** Kernels must bind no more, and nothing larger, than the adapter allows. */
export function checkBindings(steps: readonly PlanStep[], target: Target): void {
  for (const step of steps) {
    if (step.kind !== 'kernel') continue;
    const { kernel, addresses, node } = step;
    const tooLarge = addresses.findIndex(({ bytes }) => bytes > target.maxBindingBytes);
    if (tooLarge >= 0) {
      const { dtype, shape } = kernel.bindings[tooLarge]!.tensor;
      throw new TensorError(
        'binding-limit',
        `${kernel.label} at ${node.site} binds ${dtype} ${showShape(shape)}, ${addresses[tooLarge]!.bytes} bytes; the adapter binds at most ${target.maxBindingBytes}; work on slices of it`,
      );
    }
    if (addresses.length > target.maxStorageBuffers)
      throw new TensorError(
        'binding-limit',
        `${kernel.label} binds ${addresses.length} buffers, the adapter allows ${target.maxStorageBuffers}`,
      );
  }
}
