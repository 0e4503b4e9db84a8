/** The elementwise program of a group of nodes: what it loads, computes, and stores because others need it. */
import { sizeOf } from '../base/shape';
import type { GraphNode, Program, Tensor, Value } from '../graph/op';
import { isLiteral } from '../ops/sources';

export interface Group {
  /** In recording order. */
  readonly nodes: readonly GraphNode[];
  /** The one that is not elementwise, where there is one: its kernel takes the others in as its epilogue. */
  readonly root: GraphNode | undefined;
}

/** Who needs which value. */
export interface Uses {
  /** Direct users of every node, looking through reshapes. */
  readonly users: ReadonlyMap<GraphNode, readonly GraphNode[]>;
  /** Nodes whose values are needed after the step. */
  readonly kept: ReadonlySet<GraphNode>;
  /** Nodes that update state. */
  readonly updates: readonly GraphNode[];
}

export const isView = (node: GraphNode): boolean => node.op.view !== undefined;

/** A view of the whole tensor, such as a reshape. */
const isWholeView = (node: GraphNode): boolean =>
  isView(node) && sizeOf(node.inputs[0]!.shape) === sizeOf(node.outputs[0]!.shape);

/** Follows views of whole tensors back to the tensor whose bytes they are. */
export function throughReshapes(tensor: Tensor): Tensor {
  let current = tensor;
  while (isWholeView(current.node)) current = current.node.inputs[0]!;
  return current;
}

export function usesOf(nodes: readonly GraphNode[], keep: readonly Tensor[]): Uses {
  const users = new Map<GraphNode, GraphNode[]>();
  for (const node of nodes) {
    if (isWholeView(node)) continue;
    for (const input of node.inputs) {
      const producer = throughReshapes(input).node;
      const list = users.get(producer);
      if (list) list.push(node);
      else users.set(producer, [node]);
    }
  }
  return {
    users,
    kept: new Set(keep.map((tensor) => throughReshapes(tensor).node)),
    updates: nodes.filter((node) => node.op.mutates),
  };
}

export function groupProgram(group: Group, uses: Uses): Program {
  const values: Value[] = [];
  const slotOf = new Map<GraphNode, number>();
  const loads = new Map<Tensor, number>();
  const push = (value: Value): number => values.push(value) - 1;
  const operand = (input: Tensor): number => {
    const { node, dtype } = throughReshapes(input);
    const inner = slotOf.get(node);
    if (inner !== undefined) return inner;
    if (isLiteral(node)) return push({ kind: 'literal', value: node.attrs.value, dtype });
    const known = loads.get(input);
    if (known !== undefined) return known;
    const index = push({ kind: 'load', tensor: input, shape: input.shape });
    loads.set(input, index);
    return index;
  };
  for (const node of group.nodes) {
    const { dtype } = node.outputs[0]!;
    slotOf.set(
      node,
      push(node === group.root ? { kind: 'root', dtype } : { kind: 'op', node, args: node.inputs.map(operand) }),
    );
  }
  return { shape: group.nodes.at(-1)!.outputs[0]!.shape, values, stores: storesOf(group, uses, slotOf) };
}

/** Values that are needed outside the group, or that update state. */
function storesOf({ nodes }: Group, { users, kept }: Uses, slotOf: ReadonlyMap<GraphNode, number>): Program['stores'] {
  const members = new Set(nodes);
  return nodes.flatMap((node) => {
    const { mutates } = node.op;
    const isNeeded = kept.has(node) || mutates || (users.get(node) ?? []).some((user) => !members.has(user));
    const tensor = node.outputs[0]!;
    const into = mutates ? node.inputs[mutates[0]!]! : tensor;
    return isNeeded ? [{ value: slotOf.get(node)!, tensor, into }] : [];
  });
}
