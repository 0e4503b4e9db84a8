/** Whose bytes a tensor is: views and updates of state lead back to what they alias. */
import type { GraphNode, Tensor } from '../graph/op';

export interface Owned {
  /** The tensor that owns the bytes. */
  readonly owner: Tensor;
  /** Elements from the start of the owner. */
  readonly offset: number;
  /** The updates on the way, latest first. */
  readonly updates: readonly GraphNode[];
}

export function ownerOf(tensor: Tensor): Owned {
  let owner = tensor;
  let offset = 0;
  const updates: GraphNode[] = [];
  for (;;) {
    const { op, inputs, attrs } = owner.node;
    if (op.view) {
      offset += op.view(attrs).offset;
      owner = inputs[0]!;
    } else if (op.mutates) {
      updates.push(owner.node);
      owner = inputs[op.mutates[owner.index]!]!;
    } else return { owner, offset, updates };
  }
}
