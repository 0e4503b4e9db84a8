/** The values that a plan is given: constants, batch inputs with a buffer each, and knobs, which share one. */
import { BINDING_ALIGNMENT } from '../base/target';
import { roundUp } from '../base/whole-numbers';
import type { GraphNode, Tensor } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import { isConstant, isInput, isLiteral } from '../ops/sources';
import { bindingsOf, type Draft } from './draft';
import { byteSize } from './memory';
import { ownerOf } from './owner';
import type { GivenValues } from './plan-types';

export function givenValues(
  nodes: readonly GraphNode[],
  steps: readonly Draft[],
  kept: readonly Tensor[],
): GivenValues {
  const bound = boundValues(steps, kept);
  const constants = nodes
    .filter(isConstant)
    .filter((node) => !isLiteral(node) || bound.has(node.outputs[0]!))
    .map(({ outputs, attrs }) => ({ tensor: outputs[0]!, data: attrs.data }));
  const inputs = nodes
    .filter(isInput)
    .map(({ outputs, attrs }) => ({ kind: attrs.kind, name: attrs.name, tensor: outputs[0]! }));
  const batch = inputs.filter(({ kind }) => kind === 'batch').map(({ name, tensor }) => ({ name, tensor }));
  let knobBytes = 0;
  const knobs = inputs
    .filter(({ kind }) => kind === 'knob')
    .map(({ name, tensor }) => {
      const offset = knobBytes;
      knobBytes += roundUp(byteSize(tensor), BINDING_ALIGNMENT);
      return { name, tensor, offset };
    });
  return { constants, batch, knobs, knobBytes };
}

/** Values that a kernel binds, a copy moves or the user reads: a literal that is none of them stands in the text of its kernels only. */
function boundValues(steps: readonly Draft[], kept: readonly Tensor[]): Set<Tensor> {
  const bound = steps.flatMap((draft) => bindingsOf(draft).map(({ tensor }) => tensor));
  return new Set([...bound, ...kept].flatMap((storage) => (isScratch(storage) ? [] : [ownerOf(storage).owner])));
}
