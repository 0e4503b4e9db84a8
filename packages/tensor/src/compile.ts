/**
 * `compile` records a step function once, plans it, and prepares everything that a replay needs. From then on `run` writes the inputs,
 * encodes the same dispatches in the same order and submits; it creates nothing.
 */
import { BYTES_PER_ELEMENT, decode } from './base/dtype';
import { TensorError } from './base/errors';
import { type Shape, sizeOf } from './base/shape';
import type { Target } from './base/target';
import { type BufferLookup, bufferLookup, createBuffers, type PlanBuffers } from './device/buffers';
import { findNonFinite, type KernelTime, type NonFinite, profile } from './device/diagnose';
import { planEncoder } from './device/encoder';
import type { Gpu } from './device/gpu';
import { inputWriter, type Values } from './device/input-writer';
import { metricRing } from './device/metric-ring';
import type { State } from './device/state';
import { boundSubmits } from './device/submits';
import { tunedTarget } from './device/tuner';
import { type WarmOptions, warmKernels } from './device/warm';
import type { Spec, Tensor } from './graph/op';
import { isTensor, recordStep } from './graph/record';
import type { StateLayout } from './graph/state-layout';
import { type GroupTensors, groupTensors } from './ops/assign';
import { knob, input as recordedInput } from './ops/sources';
import { makePlan, recordedNodes } from './plan/plan';
import type { Plan, PlanInput, PlanReport } from './plan/plan-types';

/** What a step function may return: tensors in nested objects and arrays. */
export type TensorTree = Tensor | undefined | readonly TensorTree[] | { readonly [key: string]: TensorTree };

export interface Signature<B extends Record<string, Spec>, K extends Record<string, Shape>> {
  /** The state the step reads and updates. */
  readonly state?: State;
  /** Inputs written before every run. */
  readonly batch?: B;
  /** Small f32 values that change every step: learning rate, temperatures, seeds. All of them are one upload. */
  readonly knobs?: K;
  /** How many runs of scalar outputs the metric ring holds (default 64). */
  readonly metricRows?: number;
  /** Fuse elementwise chains (default true). */
  readonly fusion?: boolean;
  /** One op at a time: every value in a buffer of its own, every kernel a submit of its own (default false; for debugging and tests). */
  readonly isolate?: boolean;
  /** Longest single submit in seconds, by the target's rates (default 0.25). */
  readonly maxSubmitSeconds?: number;
}

export type StepFunction<B, K> = (
  state: Record<string, GroupTensors>,
  batch: { readonly [key in keyof B]: Tensor },
  knobs: { readonly [key in keyof K]: Tensor },
) => TensorTree;

export interface Step<B extends Record<string, Spec>, K extends Record<string, Shape>> extends Disposable {
  readonly report: PlanReport;
  readonly plan: Plan;
  /** Seconds spent compiling pipelines, and how many were new. */
  readonly compileTime: { readonly seconds: number; readonly pipelines: number };
  /**
   * Compiles what a software adapter would only compile when the kernels first run, one after the other; the event loop goes on between them.
   * State and outputs stay as they are. Returns at once on GPUs, and where it was done before. Rejects when `signal` is aborted.
   */
  warm(options?: WarmOptions): Promise<void>;
  /** The device buffer behind a batch input, for kernels that fill it in place. */
  inputBuffer(name: keyof B & string): GPUBuffer;
  /** Encodes and submits one run. Batch inputs that are left out keep their last contents. */
  run(batch?: { readonly [key in keyof B]?: ArrayLike<number> }, knobs?: { readonly [key in keyof K]?: Values }): void;
  /** Resolves when everything submitted so far has run. */
  done(): Promise<void>;
  /** Reads an output of the last run by its path in the returned tree (`loss`, `levels.0`). */
  read(path: string): Promise<Float32Array | Int32Array | Uint32Array>;
  /** Scalar outputs of all runs since the last call (at most `metricRows`), oldest first. Does not stall runs submitted later. */
  metrics(): Promise<Record<string, number>[]>;
  /** A run like any other, with a timestamp pair around every kernel; milliseconds by op. Needs `target.timestamps`. */
  profile(
    batch?: { readonly [key in keyof B]?: ArrayLike<number> },
    knobs?: { readonly [key in keyof K]?: Values },
  ): Promise<readonly KernelTime[]>;
  /** Runs kernel by kernel until one writes an infinity or NaN; names it, or returns undefined. Counts as a run. */
  findNonFinite(): Promise<NonFinite | undefined>;
  dispose(): void;
}

type PlanSignature<B extends Record<string, Spec>, K extends Record<string, Shape>> = Pick<
  Signature<B, K>,
  'batch' | 'knobs' | 'fusion' | 'isolate'
>;

/** Records `step` for a layout and a target without a device: the plan that `compile` would run, but for what it tunes on the adapter. */
export const planStep = <B extends Record<string, Spec>, K extends Record<string, Shape>>(
  target: Target,
  layout: StateLayout,
  step: StepFunction<B, K>,
  signature: PlanSignature<B, K>,
): Plan => makePlan({ ...recordInput(layout, step, signature), target });

function recordInput<B extends Record<string, Spec>, K extends Record<string, Shape>>(
  layout: StateLayout,
  step: StepFunction<B, K>,
  { batch, knobs, fusion = true, isolate = false }: PlanSignature<B, K>,
): Omit<PlanInput, 'target'> {
  const { result, effects } = recordStep(() =>
    step(
      Object.fromEntries(Object.entries(layout).map(([group, own]) => [group, groupTensors(group, own)])),
      Object.fromEntries(
        Object.entries(batch ?? {}).map(([name, { shape, dtype }]) => [name, recordedInput(name, shape, dtype)]),
      ) as { [key in keyof B]: Tensor },
      Object.fromEntries(Object.entries(knobs ?? {}).map(([name, shape]) => [name, knob(name, shape)])) as {
        [key in keyof K]: Tensor;
      },
    ),
  );
  return { outputs: flatten(result), effects, state: layout, fusion, shareSlots: !isolate };
}

function flatten(tree: TensorTree, prefix = ''): Record<string, Tensor> {
  if (tree === undefined || tree === null) return {};
  if (isTensor(tree)) return { [prefix || 'result']: tree };
  return Object.assign(
    {},
    ...Object.entries(tree as Record<string, TensorTree>).map(([key, value]) =>
      flatten(value, prefix ? `${prefix}.${key}` : key),
    ),
  );
}

/** Compiles a step. Throws `TensorError`: `memory` if it cannot fit (naming the largest consumers), `binding-limit`, `state`, `shader`. */
export async function compile<B extends Record<string, Spec>, K extends Record<string, Shape>>(
  gpu: Gpu,
  step: StepFunction<B, K>,
  signature: Signature<B, K> = {},
): Promise<Step<B, K>> {
  const layout = signature.state?.layout ?? {};
  const input = recordInput(layout, step, signature);
  const target = await tunedTarget(gpu, recordedNodes(input));
  const plan = makePlan({ ...input, target });
  refuseIfTooLarge(gpu, plan);
  const buffers = createBuffers(gpu, plan);
  try {
    return await prepare(gpu, plan, buffers, signature);
  } catch (error) {
    for (const buffer of buffers.all) gpu.destroyBuffer(buffer);
    throw error;
  }
}

function refuseIfTooLarge(gpu: Gpu, { report }: Plan): void {
  const extra = (report.bytes.inputs ?? 0) + (report.bytes.constants ?? 0) + (report.bytes.activations ?? 0);
  if (gpu.allocatedBytes + extra <= gpu.memoryLimit) return;
  const top = report.largest.slice(0, 3).map(({ name, bytes }) => `${name} ${mebibytes(bytes)}`);
  throw new TensorError(
    'memory',
    `the step needs ${mebibytes(extra)} besides ${mebibytes(gpu.allocatedBytes)} in use, the limit is ${mebibytes(gpu.memoryLimit)}; largest: ${top.join(', ')}; peak at ${report.peak.at} (${report.peak.site}); use a smaller batch, rematerialisation, f16 or chunks`,
  );
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

async function prepare<B extends Record<string, Spec>, K extends Record<string, Shape>>(
  gpu: Gpu,
  plan: Plan,
  buffers: PlanBuffers,
  signature: Signature<B, K>,
): Promise<Step<B, K>> {
  const { device } = gpu;
  const bufferAt = bufferLookup(buffers, signature.state?.buffers);
  const began = performance.now();
  const before = gpu.created.pipelines;
  const { encode: encodeRange, distinct } = await planEncoder(gpu, plan, buffers, bufferAt);
  const compileTime = { seconds: (performance.now() - began) / 1000, pipelines: gpu.created.pipelines - before };
  const writeInputs = inputWriter(device, plan, buffers, signature);
  const submits = boundSubmits(plan, signature.isolate ? 0 : (signature.maxSubmitSeconds ?? 0.25));
  const ring = metricRing(gpu, plan, bufferAt, signature.metricRows ?? 64);
  let running = true;
  const refuseIfDisposed = (hint = ''): void => {
    if (!running) throw new TensorError('state', `the step was disposed${hint}`);
  };
  const dispose = (): void => {
    if (!running) return;
    running = false;
    for (const buffer of [...buffers.all, ...ring.buffers]) gpu.destroyBuffer(buffer);
  };

  return {
    plan,
    report: plan.report,
    compileTime,
    async warm(options) {
      refuseIfDisposed();
      await warmKernels(gpu, distinct, options);
    },
    inputBuffer(name) {
      const buffer = buffers.batch.get(name);
      if (!buffer) throw new TensorError('argument', `the step does not use a batch input "${name}"`);
      return buffer;
    },
    run(batch = {}, knobs = {}) {
      refuseIfDisposed();
      writeInputs(batch, knobs);
      submits.forEach(([from, to], i) => {
        const encoder = device.createCommandEncoder();
        encodeRange(encoder, from, to);
        if (i === submits.length - 1) ring.push(encoder);
        device.queue.submit([encoder.finish()]);
      });
    },
    done: () => gpu.wait(device.queue.onSubmittedWorkDone()),
    async read(path) {
      refuseIfDisposed('; read its outputs before');
      return readOutput(gpu, plan, bufferAt, path);
    },
    metrics: () => ring.drain(),
    async profile(batch = {}, knobs = {}) {
      refuseIfDisposed();
      writeInputs(batch, knobs);
      const times = await profile(gpu, plan, encodeRange);
      const encoder = device.createCommandEncoder();
      ring.push(encoder);
      device.queue.submit([encoder.finish()]);
      return times;
    },
    findNonFinite: () => findNonFinite(gpu, plan, bufferAt, encodeRange),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

async function readOutput(
  gpu: Gpu,
  { outputs }: Plan,
  bufferAt: BufferLookup,
  path: string,
): Promise<Float32Array | Int32Array | Uint32Array> {
  const output = outputs[path];
  if (!output) throw new TensorError('argument', `no output "${path}"; outputs are ${Object.keys(outputs).join(', ')}`);
  const { tensor, address } = output;
  const size = sizeOf(tensor.shape);
  const bytes = size * BYTES_PER_ELEMENT[tensor.dtype];
  return decode(await gpu.readBytes(bufferAt(address), address.offset, bytes), tensor.dtype, size);
}
