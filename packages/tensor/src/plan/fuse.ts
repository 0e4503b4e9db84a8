/**
 * Fusion, small on purpose: chains of elementwise ops become one kernel or a matmul's epilogue. A chain behind an op that has an epilogue
 * (a matmul) joins that op's kernel. Everything else is a kernel of its own. A group runs where its last member was recorded, so it may
 * only form if nobody outside needs one of its values earlier, and never across an update of state that it reads.
 */
import { type Shape, sameShape, sizeOf } from '../base/shape';
import type { GraphNode, Program, Tensor } from '../graph/op';
import { isSource } from '../ops/sources';
import { type Group, groupProgram, isView, throughReshapes, type Uses, usesOf } from './group-program';
import { overlap, rangeOf } from './range';

export interface Task {
  /** The op whose kernels these are; undefined for a purely elementwise group. */
  readonly root: GraphNode | undefined;
  /** What the group computes elementwise; undefined for a lone op without epilogue. */
  readonly program: Program | undefined;
  readonly nodes: readonly GraphNode[];
}

const isElementwise = (node: GraphNode): boolean => node.op.expression !== undefined;

/** Splits recorded nodes into tasks, in execution order. `keep` are tensors needed after the step. */
export function fuse(
  nodes: readonly GraphNode[],
  keep: readonly Tensor[],
  maxStorageBuffers: number,
  enabled = true,
): Task[] {
  const uses = usesOf(nodes, keep);
  const executed = nodes.filter((node) => !isSource(node) && !isView(node));
  const groupOf = new Map<GraphNode, Group>();
  for (const node of executed) {
    groupOf.set(node, { nodes: [node], root: node.op.fusesEpilogue ? node : undefined });
    if (!enabled || !isElementwise(node)) continue;
    // the latest producer first: of two matmuls that are added, the second one takes the addition in, and the first need not wait for it
    const producers = node.inputs.map((input) => throughReshapes(input).node).sort((a, b) => b.id - a.id);
    for (const producer of producers) {
      const [own, other] = [groupOf.get(node)!, groupOf.get(producer)];
      if (!other || other === own || !canJoin(own, other, node, uses, maxStorageBuffers)) continue;
      const merged = merge(own, other);
      for (const member of merged.nodes) groupOf.set(member, merged);
    }
  }
  return executed.flatMap((node) => {
    const group = groupOf.get(node)!;
    return group.nodes.at(-1) === node ? [taskOf(group, uses)] : [];
  });
}

const merge = (own: Group, other: Group): Group => ({
  nodes: [...other.nodes, ...own.nodes].sort((a, b) => a.id - b.id),
  root: own.root ?? other.root,
});

/** Whether `node`, with what has joined it so far, can take in the group of one of its inputs. */
function canJoin(own: Group, other: Group, node: GraphNode, uses: Uses, maxStorageBuffers: number): boolean {
  if (own.root && other.root) return false;
  if (!other.nodes.every((member) => fitsSpace(member, node.outputs[0]!.shape))) return false;
  const merged = merge(own, other);
  const members = new Set(merged.nodes);
  // what the root reads must be there before its kernel runs
  if (merged.root?.inputs.some((input) => members.has(throughReshapes(input).node))) return false;
  // every outside user of an inner value must come after the group's new position
  for (const member of other.nodes)
    for (const user of uses.users.get(member) ?? []) if (!members.has(user) && user.id < node.id) return false;
  // no update of state may lie between a member and the group's new position, unless it is the group's own
  const first = other.nodes[0]!.id;
  if (uses.updates.some((update) => update.id > first && update.id < node.id && !members.has(update))) return false;
  return !overwritesRoot(merged) && countBindings(merged, uses) <= maxStorageBuffers;
}

/** Whether a group updates state that its root reads: threads of one kernel would read what others have overwritten. */
function overwritesRoot({ nodes, root }: Group): boolean {
  const read = (root?.inputs ?? []).flatMap((input) => rangeOf(input) ?? []);
  const written = nodes.flatMap(({ op, inputs }) => (op.mutates ?? []).flatMap((at) => rangeOf(inputs[at]!) ?? []));
  return written.some((range) => read.some((other) => overlap(range, other)));
}

/** Whether a node can be computed element by element of `space`: a reshape between is nothing to one that broadcasts nothing but scalars. */
function fitsSpace(node: GraphNode, space: Shape): boolean {
  const { op, inputs, outputs } = node;
  if (!isElementwise(node) && !op.fusesEpilogue) return false;
  const { shape } = outputs[0]!;
  if (sameShape(shape, space)) return true;
  const size = sizeOf(space);
  if (sizeOf(shape) !== size) return false;
  return op.fusesEpilogue === true || inputs.every((input) => [1, size].includes(sizeOf(input.shape)));
}

function countBindings(group: Group, uses: Uses): number {
  const { values, stores } = groupProgram(group, uses);
  const bound = new Set([
    ...values.flatMap((value) => (value.kind === 'load' ? [value.tensor] : [])),
    ...stores.map(({ into }) => into),
  ]);
  return bound.size + (group.root?.inputs.length ?? 0);
}

function taskOf(group: Group, uses: Uses): Task {
  const { nodes, root } = group;
  if (!root && !nodes.some(isElementwise)) return { root: nodes[0], program: undefined, nodes };
  return { root, program: groupProgram(group, uses), nodes };
}
