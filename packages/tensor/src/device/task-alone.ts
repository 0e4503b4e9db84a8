/**
 * The ops of a planned kernel, recorded again with nothing around them: what they take from outside becomes an input of its own, of the same shape. Planned
 * for the same target they give the same kernel, which can then run alone. Or every f16 becomes f32: the values that were rounded to f16 still are, by an op,
 * so that what is left between the two is how f16 is loaded, multiplied and stored.
 */
import type { DType } from '../base/dtype';
import type { Target } from '../base/target';
import type { GraphNode, Kernel, Op, Tensor } from '../graph/op';
import { record, record1, recordStep } from '../graph/record';
import { isScratch } from '../kernels/kernel-builder';
import { input, isConstant, isLiteral, state } from '../ops/sources';
import { makePlan } from '../plan/plan';
import type { Plan } from '../plan/plan-types';

/** Ops that a plan computes together, and the kernels that do. */
export interface PlannedTask {
  readonly members: readonly GraphNode[];
  readonly kernels: readonly Kernel[];
}

/** The tasks of a plan, in their order. */
export function tasksOf({ steps }: Plan): PlannedTask[] {
  const kernels = new Map<readonly GraphNode[], Kernel[]>();
  for (const step of steps) {
    if (step.kind !== 'kernel') continue;
    const own = kernels.get(step.members);
    if (own) own.push(step.kernel);
    else kernels.set(step.members, [step.kernel]);
  }
  return [...kernels].map(([members, own]) => ({ members, kernels: own }));
}

/** An input of a task that runs alone. */
export interface Given {
  readonly tensor: Tensor;
  /** Whose numbers it holds: those of f16 also where it is stored as f32. */
  readonly exactIn: DType;
}

export interface TaskAlone {
  readonly plan: Plan;
  readonly given: readonly Given[];
}

/** Whether f16 stays, or becomes f32 that is rounded as f16 is. */
export type Halves = 'kept' | 'widened';

/** Plans a task alone. Undefined where an op insists on f16. */
export function planTaskAlone(task: PlannedTask, target: Target, halves: Halves): TaskAlone | undefined {
  const recorder = taskRecorder(task, halves);
  const { effects } = recordStep(() => task.members.forEach(recorder.member));
  if (recorder.insists()) return undefined;
  const outputs = Object.fromEntries(recorder.results().map((tensor, i) => [`output ${i}`, tensor]));
  return { plan: makePlan({ outputs, effects, state: {}, target }), given: recorder.given };
}

/** Rounds f32 to the numbers of f16. */
const ROUND: Op<object> = {
  name: 'round to f16',
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  expression: ([x]) => `quantizeToF16(${x})`,
  reference: ([x]) => [x!.data],
};

interface TaskRecorder {
  readonly given: readonly Given[];
  /** Records an op of the task. */
  member(node: GraphNode): void;
  /** What the task writes, as it was recorded here. */
  results(): readonly Tensor[];
  /** Whether an op gave f16 where there should be none. */
  insists(): boolean;
}

function taskRecorder({ members, kernels }: PlannedTask, halves: Halves): TaskRecorder {
  const isMember = new Set(members);
  const updated = new Set(members.flatMap(({ op, inputs }) => (op.mutates ?? []).map((i) => inputs[i]!)));
  const known = new Map<Tensor, Tensor>();
  const given: Given[] = [];
  let insists = false;
  const typeOf = (dtype: DType): DType => (halves === 'widened' && dtype === 'f16' ? 'f32' : dtype);

  /** Attributes of an op that is told the type of its result. */
  const withoutHalf = (attrs: unknown): unknown =>
    halves === 'widened' && (attrs as { dtype?: unknown })?.dtype === 'f16'
      ? { ...(attrs as object), dtype: 'f32' }
      : attrs;

  /** A tensor from outside as an input, of state where it is updated. */
  function outside({ shape, dtype, node }: Tensor, isUpdated: boolean): Tensor {
    const own = { shape, dtype: typeOf(dtype) };
    if (isConstant(node) || isLiteral(node)) return record1(node.op as Op<object>, [], { ...node.attrs, ...own });
    const name = String(given.length);
    const tensor = isUpdated
      ? state({ group: name, name, buffer: 0, offset: 0, ...own })
      : input(name, own.shape, own.dtype);
    given.push({ tensor, exactIn: dtype });
    return tensor;
  }

  function mapped(tensor: Tensor): Tensor {
    const before = known.get(tensor);
    if (before) return before;
    const { op, inputs, attrs } = tensor.node;
    const isInner = op.view !== undefined && leadsInside(inputs[0]!);
    const own = isInner ? record1(op, [mapped(inputs[0]!)], attrs) : outside(tensor, updated.has(tensor));
    known.set(tensor, own);
    return own;
  }

  /** Whether a view is one of what the task computes. */
  function leadsInside(tensor: Tensor): boolean {
    const { node } = tensor;
    return isMember.has(node) || (node.op.view !== undefined && leadsInside(node.inputs[0]!));
  }

  return {
    given,
    member({ op, inputs, attrs, outputs }) {
      const operands = inputs.map(mapped);
      const isCast = halves === 'widened' && op.name === 'cast to f16';
      const results = isCast ? [operands[0]!] : record(op, operands, withoutHalf(attrs));
      outputs.forEach((output, i) => {
        const result = results[i]!;
        insists ||= halves === 'widened' && result.dtype === 'f16';
        const rounds = halves === 'widened' && output.dtype === 'f16' && !op.mutates;
        known.set(output, rounds ? record1(ROUND, [result], {}) : result);
      });
    },
    results() {
      const written = kernels.flatMap(({ bindings }) =>
        bindings.flatMap(({ tensor, access }) => (access === 'read' || isScratch(tensor) ? [] : [tensor])),
      );
      const ofMembers = members.flatMap(({ op, outputs }) =>
        outputs.filter((output) => op.mutates || written.includes(output)),
      );
      return [...new Set(ofMembers)].map((tensor) => known.get(tensor)!);
    },
    insists: () => insists,
  };
}
