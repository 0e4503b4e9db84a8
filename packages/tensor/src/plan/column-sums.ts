/**
 * Sums of columns that begin where the rows are computed. A gradient that elementwise ops compute is often summed over its rows too, for a bias or a scale: read
 * again for that, or written for nothing else. So the kernel of the elementwise ops, or of an op before them that computes its result unit by unit, adds up parts
 * of the rows as it goes, and the sum's own kernels begin with these parts. For GPUs, whose memory is what such kernels wait for; a software adapter would share
 * the work among fewer threads.
 */
import { sameShape, sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { GraphNode, Program, Tensor } from '../graph/op';
import { type ColumnDims, summedLayout } from '../kernels/column-kernel';
import { sumUnits } from '../kernels/elementwise-program';
import { scratch } from '../kernels/kernel-builder';
import type { Task } from './fuse';
import { throughReshapes, type Uses, usesOf } from './group-program';

/** Fewer rows are no work to share in a kernel that has another purpose. */
const LEAST_ROWS = 32;

/** A sum that could begin in the kernel of another task. */
interface Candidate {
  readonly sum: Task;
  readonly value: Tensor;
  readonly dims: ColumnDims;
}

/** The same tasks, in their order, with sums of columns begun where that saves a pass over memory. */
export function beginColumnSums(
  tasks: readonly Task[],
  nodes: readonly GraphNode[],
  keep: readonly Tensor[],
  { maxStorageBuffers }: Target,
): Task[] {
  const uses = usesOf(nodes, keep);
  const changed = new Map<Task, Task>();
  for (const [task, candidates] of candidatesByTask(tasks)) {
    const { dims } = candidates[0]!;
    const sums = candidates.filter((candidate) => sameShape(candidate.dims, dims));
    const program = withoutStores(task, sums, uses);
    const loads = program.values.filter(({ kind }) => kind === 'load');
    const bound = loads.length + program.stores.length + sums.length + (task.root?.inputs.length ?? 0);
    if (bound > maxStorageBuffers) continue;
    const [outer, , inner] = dims;
    const shape = [outer, summedLayout(sumUnits(program, dims)).parts, inner];
    const members = [task, ...sums.map(({ sum }) => sum)].flatMap((each) => each.nodes).sort((a, b) => a.id - b.id);
    const begun = sums.map(({ value, dims }) => ({
      value: placeOf(value.node, program),
      dims,
      into: scratch(shape, 'f32'),
    }));
    changed.set(task, { ...task, program, members, sums: begun });
    for (const [i, { sum }] of sums.entries()) changed.set(sum, { ...sum, members, begun: begun[i]!.into });
  }
  return tasks.map((task) => changed.get(task) ?? task);
}

function candidatesByTask(tasks: readonly Task[]): Map<Task, Candidate[]> {
  const computedBy = new Map(
    tasks.flatMap((task) =>
      (task.root && !task.root.op.beginsSums?.(task.root.inputs)) || task.nodes.some(({ op }) => op.mutates)
        ? []
        : task.nodes.map((node) => [node, task]),
    ),
  );
  const found = new Map<Task, Candidate[]>();
  for (const sum of tasks) {
    const dims = sum.root?.op.columnSum?.(sum.root.inputs, sum.root.attrs);
    if (!dims || dims[1] < LEAST_ROWS || sizeOf(dims) === 0) continue;
    const value = throughReshapes(sum.root!.inputs[0]!);
    const task = computedBy.get(value.node);
    if (!task || sizeOf(task.program!.shape) !== sizeOf(value.shape)) continue;
    found.set(task, [...(found.get(task) ?? []), { sum, value, dims }]);
  }
  return found;
}

/** The program of a task that need not store what only the sums read. */
function withoutStores({ program, nodes }: Task, sums: readonly Candidate[], { users, kept }: Uses): Program {
  const inside = new Set([...nodes, ...sums.map(({ sum }) => sum.root!)]);
  const isNeeded = (node: GraphNode): boolean => kept.has(node) || users.get(node)!.some((user) => !inside.has(user));
  return { ...program!, stores: program!.stores.filter(({ tensor }) => isNeeded(tensor.node)) };
}

/** Which value of a program is that of a node: where it is none of the program's ops, the root. */
const placeOf = (node: GraphNode, { values }: Program): number => {
  const own = values.findIndex((value) => value.kind === 'op' && value.node === node);
  return own >= 0 ? own : values.findIndex(({ kind }) => kind === 'root');
};
