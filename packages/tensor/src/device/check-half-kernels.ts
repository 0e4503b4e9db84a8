/**
 * Checks on a device that the f16 kernels of a plan compute what they should: drivers exist that offer f16 and get it wrong. Each task of the plan that has
 * such a kernel runs alone, on noise, at its own shapes, once as it is and once in f32 with the same roundings (see `task-alone.ts`). What both write is
 * compared in pieces, the first and the last elements among them: |f16 - f32| <= tolerance * max |f32|. The two may differ by the order of their sums (f32),
 * and where that tips the rounding of a value to f16, by one of its units, 2^-10 of it; twice that is allowed for each rounding. Whole numbers go in as
 * zeros, which are valid indices anywhere, and are not compared when they come out. What is not covered is listed with its reason.
 */
import { BYTES_PER_ELEMENT, isFloat } from '../base/dtype';
import { TensorError } from '../base/errors';
import { sizeOf } from '../base/shape';
import type { GraphNode } from '../graph/op';
import { isState } from '../ops/sources';
import type { Plan } from '../plan/plan-types';
import { bufferLookup, createBuffers } from './buffers';
import { type Comparison, comparePieces } from './compare-pieces';
import { planEncoder } from './encoder';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';
import { fillWithNoise } from './noise';
import { type Seen, seeOutputs } from './op-alone';
import { type PlannedTask, planTaskAlone, type TaskAlone, tasksOf } from './task-alone';

export interface HalfKernelOptions {
  /** Seconds that the check may take (default 60): what is left then is listed as not covered. */
  readonly seconds?: number;
  /** Shapes that one kernel is checked at, the largest first, then the smallest (default 2, at most that). */
  readonly shapes?: 1 | 2;
  /** Told before each task how many are done, and after the last one. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A task of a plan: what its ops are called, and the line that recorded the last of them. */
export interface NamedTask {
  readonly kernel: string;
  readonly site: string;
}

export interface HalfKernelFailure extends NamedTask {
  /** Largest difference over the largest value; undefined where the kernel did not run, or gave what is no number. */
  readonly difference: number | undefined;
  readonly tolerance: number;
  /** What went wrong, in words. */
  readonly problem: string;
}

export interface UncoveredTask extends NamedTask {
  readonly reason: string;
}

export interface HalfKernelCheck {
  /** Distinct f16 kernels that were compared. */
  readonly checked: number;
  readonly failures: readonly HalfKernelFailure[];
  readonly uncovered: readonly UncoveredTask[];
  readonly seconds: number;
}

/** f32 sums in another order, on noise. */
const SUM_TOLERANCE = 1e-4;
/** Twice the unit of the last place of f16. */
const ROUNDING_TOLERANCE = 2 ** -9;

/**
 * Checks the f16 kernels of `plan`, made for the target of `gpu`. Needs memory for the largest of them, beside what is allocated. A lost device is a failure
 * too, and the last one: the device is gone then.
 */
export async function checkHalfKernels(
  gpu: Gpu,
  plan: Plan,
  { seconds = 60, shapes = 2, onProgress }: HalfKernelOptions = {},
): Promise<HalfKernelCheck> {
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  const tasks = tasksToCheck(plan, shapes);
  const checked = new Set<string>();
  const failures: HalfKernelFailure[] = [];
  const uncovered: UncoveredTask[] = [];
  let isLost = false;
  for (const [i, task] of tasks.entries()) {
    onProgress?.(i, tasks.length);
    const name = nameOf(task);
    if (isLost || elapsed() >= seconds) {
      uncovered.push({ ...name, reason: isLost ? 'the device was lost before' : `no time left of ${seconds} s` });
      continue;
    }
    const tolerance = toleranceOf(task);
    const outcome = await checkTask(gpu, plan, task, tolerance);
    if (outcome.kind === 'uncovered') uncovered.push({ ...name, reason: outcome.reason });
    else for (const text of halfTexts(task)) checked.add(text);
    if (outcome.kind === 'failure')
      failures.push({ ...name, tolerance, difference: outcome.difference, problem: outcome.problem });
    isLost = outcome.kind === 'failure' && outcome.isLost;
  }
  onProgress?.(tasks.length, tasks.length);
  return { checked: checked.size, failures, uncovered, seconds: elapsed() };
}

/** The f16 kernels of a plan, by their texts: what a check of them holds for. */
export const halfKernelTexts = (plan: Plan): string[] => [...new Set(tasksOf(plan).flatMap(halfTexts))].sort();

const halfTexts = ({ kernels }: PlannedTask): string[] =>
  kernels.map(({ wgsl }) => wgsl).filter((wgsl) => wgsl.includes('enable f16;'));

const nameOf = ({ members, kernels }: PlannedTask): NamedTask => ({
  kernel: kernels[0]!.label,
  site: members.at(-1)!.site,
});

/** Each set of f16 kernels at its largest shapes, then those that have more at their smallest. */
function tasksToCheck(plan: Plan, shapes: 1 | 2): PlannedTask[] {
  const kinds = new Map<string, PlannedTask[]>();
  for (const task of tasksOf(plan)) {
    if (halfTexts(task).length === 0) continue;
    const key = task.kernels.map(({ wgsl }) => wgsl).join('\n');
    const known = kinds.get(key);
    if (known) known.push(task);
    else kinds.set(key, [task]);
  }
  const bytesOf = ({ kernels }: PlannedTask): number => kernels.reduce((sum, { bytes }) => sum + bytes, 0);
  const sorted = [...kinds.values()].map((tasks) => [...tasks].sort((a, b) => bytesOf(b) - bytesOf(a)));
  const smallest = sorted.flatMap((tasks) => (bytesOf(tasks.at(-1)!) < bytesOf(tasks[0]!) ? [tasks.at(-1)!] : []));
  return [...sorted.map((tasks) => tasks[0]!), ...(shapes === 2 ? smallest : [])];
}

const toleranceOf = ({ members }: PlannedTask): number => {
  const roundings = members.flatMap(({ outputs }) => outputs).filter(({ dtype }) => dtype === 'f16').length;
  return SUM_TOLERANCE + ROUNDING_TOLERANCE * roundings;
};

type Outcome =
  | { readonly kind: 'right' }
  | { readonly kind: 'uncovered'; readonly reason: string }
  | {
      readonly kind: 'failure';
      readonly difference: number | undefined;
      readonly problem: string;
      readonly isLost: boolean;
    };

const uncoveredBy = (reason: string): Outcome => ({ kind: 'uncovered', reason });

async function checkTask(gpu: Gpu, { target }: Plan, task: PlannedTask, tolerance: number): Promise<Outcome> {
  const half = planTaskAlone(task, target, 'kept')!;
  if (textsOf(half.plan) !== task.kernels.map(({ wgsl }) => wgsl).join('\n'))
    return uncoveredBy('alone it is planned into other kernels');
  const whole = planTaskAlone(task, target, 'widened');
  if (!whole) return uncoveredBy('one of its ops gives f16 whatever it is given');
  const reference = await attempt(() => runAlone(gpu, whole));
  if (!('pieces' in reference)) return failed(reference, true);
  const own = await attempt(() => runAlone(gpu, half));
  if ('pieces' in own) return outcomeOf(comparePieces(own.pieces, reference.pieces, outputTypes(half.plan)), tolerance);
  return failed(own, false);
}

/** What does not fit is not covered, nor what has nothing to be compared with. */
function failed({ code, message }: TensorError, isReference: boolean): Outcome {
  const problem = isReference ? `in f32 ${message}` : message;
  if (code === 'memory' || (isReference && code === 'shader')) return uncoveredBy(problem);
  return { kind: 'failure', difference: undefined, problem, isLost: code !== 'shader' };
}

function outcomeOf({ compared, difference, problem }: Comparison, tolerance: number): Outcome {
  if (problem !== undefined) return { kind: 'failure', difference: undefined, problem, isLost: false };
  if (compared === 0) return uncoveredBy('it gives no finite floats on noise');
  if (difference <= tolerance) return { kind: 'right' };
  const figures = `${difference.toExponential(1)} where ${tolerance.toExponential(1)} is rounding`;
  return { kind: 'failure', difference, problem: `differs from f32 by ${figures}`, isLost: false };
}

/** What a run wrote, or how it failed. */
async function attempt(run: () => Promise<readonly Seen[]>): Promise<{ pieces: readonly Seen[] } | TensorError> {
  try {
    return { pieces: await run() };
  } catch (error) {
    if (error instanceof TensorError && FAILURES.has(error.code)) return error;
    throw error;
  }
}

const FAILURES: ReadonlySet<string> = new Set(['memory', 'shader', 'device-lost', 'refused']);

const textsOf = ({ steps }: Plan): string =>
  steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel.wgsl] : [])).join('\n');

const outputTypes = ({ outputs }: Plan) => Object.values(outputs).map(({ tensor }) => tensor.dtype);

/** Runs a task on noise, and sees pieces of what it wrote. */
async function runAlone(gpu: Gpu, { plan, given }: TaskAlone): Promise<readonly Seen[]> {
  const owner = 'a kernel that is checked';
  const buffers = createBuffers(gpu, plan, owner);
  const all = [...buffers.all];
  try {
    const state = stateBuffers(plan.nodes, (label, bytes, usage) => {
      const buffer = gpu.createBuffer(label, bytes, usage, owner);
      all.push(buffer);
      return buffer;
    });
    await gpu.granted(all);
    for (const [seed, { tensor, exactIn }] of given.entries()) {
      const { dtype, shape } = tensor;
      const buffer = buffers.batch.get(String(seed)) ?? state[String(seed)]?.[0];
      if (buffer && isFloat(dtype)) fillWithNoise(gpu, buffer, { count: sizeOf(shape), dtype, seed, exactIn });
    }
    const bufferAt = bufferLookup(buffers, state);
    const { encode } = await planEncoder(gpu, plan, buffers, bufferAt);
    const encoder = gpu.device.createCommandEncoder();
    encode(encoder, 0, plan.steps.length);
    gpu.device.queue.submit([encoder.finish()]);
    return await seeOutputs(gpu, plan, bufferAt);
  } finally {
    for (const buffer of all) gpu.destroyBuffer(buffer);
  }
}

/** A buffer for each state tensor, which is a group of its own. */
function stateBuffers(
  nodes: readonly GraphNode[],
  create: (label: string, bytes: number, usage: number) => GPUBuffer,
): Record<string, GPUBuffer[]> {
  const usage = GPU_BUFFER_USAGE.STORAGE | GPU_BUFFER_USAGE.COPY_SRC | GPU_BUFFER_USAGE.COPY_DST;
  const groups: Record<string, GPUBuffer[]> = {};
  for (const { attrs } of nodes.filter(isState))
    groups[attrs.group] = [create(`state ${attrs.group}`, sizeOf(attrs.shape) * BYTES_PER_ELEMENT[attrs.dtype], usage)];
  return groups;
}
