/**
 * Fusion, small on purpose: chains of elementwise ops become one kernel, and a chain behind an op that has an epilogue (a matmul)
 * joins that op's kernel. Everything else is a kernel of its own. A group runs where its last member was recorded, so it may only form
 * if nobody outside needs one of its values earlier, and never across an update of state that it reads.
 */
import { type Shape, sameShape, sizeOf } from '../base/shape';
import type { GraphNode, Program, Tensor, Value } from '../graph/op';
import { isLiteral, isSource } from '../ops/sources';

export interface Task {
  /** The op whose kernels these are; undefined for a purely elementwise group. */
  readonly root: GraphNode | undefined;
  /** What the group computes elementwise; undefined for a lone op without epilogue. */
  readonly program: Program | undefined;
  readonly nodes: readonly GraphNode[];
}

interface Group {
  nodes: GraphNode[];
  root: GraphNode | undefined;
}

const isView = (node: GraphNode): boolean => node.op.view !== undefined;
const isElementwise = (node: GraphNode): boolean => node.op.expression !== undefined;

/** Follows whole-tensor views (reshapes) back to the tensor whose bytes they are. */
function throughReshapes(tensor: Tensor): Tensor {
  let current = tensor;
  while (isView(current.node) && sizeOf(current.node.inputs[0]!.shape) === sizeOf(current.shape))
    current = current.node.inputs[0]!;
  return current;
}

/** Whether a node can be computed element by element of `space`: a reshape between is nothing to one that broadcasts nothing but scalars. */
function fitsSpace({ op, inputs, outputs: [output] }: GraphNode, space: Shape): boolean {
  if (sameShape(output!.shape, space)) return true;
  const size = sizeOf(space);
  if (sizeOf(output!.shape) !== size) return false;
  return op.fusesEpilogue === true || inputs.every(({ shape }) => [1, size].includes(sizeOf(shape)));
}

/** Splits recorded nodes into tasks, in execution order. `keep` are tensors needed after the step. */
export function fuse(
  nodes: readonly GraphNode[],
  keep: readonly Tensor[],
  maxStorageBuffers: number,
  enabled = true,
): Task[] {
  const users = usersOf(nodes);
  const kept = new Set(keep.map((tensor) => throughReshapes(tensor).node));
  const groupOf = new Map<GraphNode, Group>();
  const mutations = nodes.filter((node) => node.op.mutates).map((node) => node.id);
  const executed = nodes.filter((node) => !isSource(node) && !isView(node));

  for (const node of executed) {
    const group: Group = { nodes: [node], root: node.op.fusesEpilogue ? node : undefined };
    groupOf.set(node, group);
    if (!enabled || !isElementwise(node)) continue;
    // the latest producer first: of two matmuls that are added, the second one takes the addition in, and the first need not wait for it
    const producers = node.inputs.map((input) => throughReshapes(input).node).sort((a, b) => b.id - a.id);
    for (const producer of producers) {
      const other = groupOf.get(producer);
      const own = groupOf.get(node)!;
      if (!other || other === own || !(isElementwise(producer) || producer.op.fusesEpilogue)) continue;
      if (!joinable(own, other, node)) continue;
      const merged: Group = {
        nodes: [...other.nodes, ...own.nodes].sort((a, b) => a.id - b.id),
        root: own.root ?? other.root,
      };
      for (const member of merged.nodes) groupOf.set(member, merged);
    }
  }

  function joinable(own: Group, other: Group, node: GraphNode): boolean {
    if (own.root && other.root) return false;
    if (!other.nodes.every((member) => fitsSpace(member, node.outputs[0]!.shape))) return false;
    const members = new Set([...own.nodes, ...other.nodes]);
    // every outside user of an inner value must come after the group's new position
    for (const member of other.nodes)
      for (const user of users.get(member) ?? []) if (!members.has(user) && user.id < node.id) return false;
    // no update of state may lie between a member and the group's new position, unless it is the group's own
    const first = other.nodes[0]!.id;
    if (mutations.some((id) => id > first && id < node.id && ![...members].some((member) => member.id === id)))
      return false;
    const program = buildProgram(
      { nodes: [...members].sort((a, b) => a.id - b.id), root: own.root ?? other.root },
      users,
      kept,
    );
    const bound = new Set([
      ...program.values.flatMap((value) => (value.kind === 'load' ? [value.tensor] : [])),
      ...program.stores.map(({ into }) => into),
    ]);
    const rootInputs = (own.root ?? other.root)?.inputs.length ?? 0;
    return bound.size + rootInputs <= maxStorageBuffers;
  }

  const tasks: Task[] = [];
  for (const node of executed) {
    const group = groupOf.get(node)!;
    if (group.nodes.at(-1) !== node) continue;
    const elementwise = group.nodes.some(isElementwise);
    const program = elementwise || group.root ? buildProgram(group, users, kept) : undefined;
    tasks.push({ root: group.root ?? (elementwise ? undefined : node), program, nodes: group.nodes });
  }
  return tasks;
}

/** Direct users of every node, looking through reshapes. */
function usersOf(nodes: readonly GraphNode[]): Map<GraphNode, GraphNode[]> {
  const users = new Map<GraphNode, GraphNode[]>();
  for (const node of nodes) {
    if (isView(node) && sizeOf(node.inputs[0]!.shape) === sizeOf(node.outputs[0]!.shape)) continue;
    for (const input of node.inputs) {
      const producer = throughReshapes(input).node;
      const list = users.get(producer);
      if (list) list.push(node);
      else users.set(producer, [node]);
    }
  }
  return users;
}

function buildProgram(
  group: Group,
  users: ReadonlyMap<GraphNode, readonly GraphNode[]>,
  kept: ReadonlySet<GraphNode>,
): Program {
  const values: Value[] = [];
  const slotOf = new Map<GraphNode, number>();
  const loads = new Map<Tensor, number>();
  const members = new Set(group.nodes);
  const space = group.nodes.at(-1)!.outputs[0]!.shape;

  const push = (value: Value): number => values.push(value) - 1;
  const operand = (input: Tensor): number => {
    const base = throughReshapes(input);
    const inner = slotOf.get(base.node);
    if (inner !== undefined) return inner;
    if (isLiteral(base.node)) return push({ kind: 'literal', value: base.node.attrs.value, dtype: base.dtype });
    const known = loads.get(input);
    if (known !== undefined) return known;
    const index = push({ kind: 'load', tensor: input, shape: input.shape });
    loads.set(input, index);
    return index;
  };

  for (const node of group.nodes) {
    if (node === group.root) {
      slotOf.set(node, push({ kind: 'root', dtype: node.outputs[0]!.dtype }));
      continue;
    }
    const args = node.inputs.map(operand);
    slotOf.set(node, push({ kind: 'op', node, args }));
  }
  const stores = group.nodes.flatMap((node) => {
    const outside =
      kept.has(node) || node.op.mutates !== undefined || (users.get(node) ?? []).some((user) => !members.has(user));
    const tensor = node.outputs[0]!;
    const into = node.op.mutates ? node.inputs[node.op.mutates[0]!]! : tensor;
    return outside ? [{ value: slotOf.get(node)!, tensor, into }] : [];
  });
  return { shape: space, values, stores };
}
