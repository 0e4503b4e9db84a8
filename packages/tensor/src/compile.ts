/**
 * `compile` records a step function once, plans it, and prepares everything that a replay needs. From then on `run` writes the inputs,
 * encodes the same dispatches in the same order and submits; it creates nothing.
 */
import { checkShape, checkSpec } from './base/check-spec';
import { BYTES_PER_ELEMENT, decode } from './base/dtype';
import { markSite, siteOf, TensorError } from './base/errors';
import { optionProblem } from './base/option-problem';
import { type Shape, sizeOf } from './base/shape';
import type { Target } from './base/target';
import { agreeOnPlan } from './device/agree-on-plan';
import { type BufferLookup, bufferLookup, createBuffers, type PlanBuffers } from './device/buffers';
import { copiesOfState, outdatesCopies } from './device/copies';
import { findNonFinite, profile, refuseWithoutTimestamps } from './device/diagnose';
import { planEncoder } from './device/encoder';
import { planExchanges } from './device/exchanges';
import type { Gpu } from './device/gpu';
import { inputWriter } from './device/input-writer';
import { metricRing } from './device/metric-ring';
import { planRunner } from './device/run-plan';
import type { State } from './device/state';
import { boundSubmits } from './device/submits';
import { tunedTarget } from './device/tuner';
import type { TuningReport } from './device/tuning';
import { warmKernels } from './device/warm';
import { refuseOtherCopy } from './graph/copy';
import type { Spec, Tensor } from './graph/op';
import type { Ranks } from './graph/ranks';
import { isTensor, recordStep } from './graph/record';
import type { GroupLayout, StateLayout, StateSpec } from './graph/state-layout';
import { groupTensors, type StateTensors } from './ops/assign';
import { knob, input as recordedInput } from './ops/sources';
import { makePlan, recordedNodes } from './plan/plan';
import type { Plan, PlanInput } from './plan/plan-types';
import type { BatchSpec, KnobSpec, Signature, Step, StepFunction, TensorTree } from './step';

/** What a plan is made for, beside the layout of state. */
export type PlanSignature<B extends BatchSpec, K extends KnobSpec> = Pick<
  Signature<B, K>,
  'batch' | 'knobs' | 'fusion' | 'isolate'
>;

/** Records `step` for a layout and a target without a device: the plan that `compile` would run, but for what it tunes on the adapter. */
export const planStep = <B extends BatchSpec, K extends KnobSpec, G extends StateSpec>(
  target: Target,
  layout: StateLayout<G>,
  step: StepFunction<B, K, G>,
  signature: PlanSignature<B, K>,
): Plan => makePlan({ ...recordInput(layout, step, signature), target });

function recordInput<B extends BatchSpec, K extends KnobSpec, G extends StateSpec>(
  layout: StateLayout<G>,
  step: StepFunction<B, K, G>,
  { batch, knobs, fusion = true, isolate = false }: PlanSignature<B, K>,
): Omit<PlanInput, 'target'> {
  const groups = Object.entries<GroupLayout>(layout).map(([group, own]) => [group, groupTensors(group, own)]);
  const inputs = Object.entries<Spec>(batch ?? {}).map(([name, spec]) => {
    checkSpec(`input "${name}"`, spec);
    return [name, recordedInput(name, spec.shape, spec.dtype)];
  });
  const values = Object.entries<Shape>(knobs ?? {}).map(([name, shape]) => {
    checkShape(`knob "${name}"`, shape);
    return [name, knob(name, shape)];
  });
  const { result, effects } = recordStep(() =>
    step(
      Object.fromEntries(groups) as StateTensors<G>,
      Object.fromEntries(inputs) as { [name in keyof B]: Tensor },
      Object.fromEntries(values) as { [name in keyof K]: Tensor },
    ),
  );
  return { outputs: flatten(result), effects, state: layout, fusion, shareSlots: !isolate, overlap: !isolate };
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

/**
 * Compiles a step. Throws `TensorError`: `memory` if it cannot fit (naming the largest consumers), `binding-limit`, `state`, `shader`, `dtype` and `shape`
 * for impossible inputs, `options` for ranks that are too few, too many or about to exchange something else, `copies` where device, state or tensors come from another copy of this package.
 */
export async function compile<
  O extends TensorTree,
  B extends BatchSpec = Record<never, never>,
  K extends KnobSpec = Record<never, never>,
  G extends StateSpec = Record<never, never>,
>(gpu: Gpu, step: StepFunction<B, K, G, O>, signature: Signature<B, K, G> = {}): Promise<Step<B, K, O>> {
  checkCall(step, signature);
  const owner = `the step ${step.name && `"${step.name}" `}compiled at ${siteOf(markSite())}`;
  refuseOtherCopy('the device', gpu);
  if (signature.state) refuseOtherCopy('the state', signature.state);
  const layout = signature.state?.layout ?? ({} as StateLayout<G>);
  const input = recordInput(layout, step, signature);
  const { target, report: tuning } = await tunedTarget(gpu, recordedNodes(input));
  const plan = makePlan({ ...input, target });
  await agreeOnPlan(plan, signature.ranks);
  refuseIfTooLarge(gpu, plan);
  const buffers = createBuffers(gpu, plan, owner);
  try {
    await gpu.granted(buffers.all);
    return { ...(await prepare<B, K, O>(gpu, plan, buffers, signature, owner)), tuning };
  } catch (error) {
    for (const buffer of buffers.all) gpu.destroyBuffer(buffer);
    throw error;
  }
}

/**
 * Makes the choices of kernels that `compile` would make for this step, and nothing else. Of several ranks one does this first; with its `tuningTable` the others run the
 * same kernels. Throws `TensorError` as `compile` does before it plans.
 */
export async function tuneStep<
  B extends BatchSpec = Record<never, never>,
  K extends KnobSpec = Record<never, never>,
  G extends StateSpec = Record<never, never>,
>(gpu: Gpu, step: StepFunction<B, K, G>, signature: Signature<B, K, G> = {}): Promise<TuningReport> {
  checkCall(step, signature);
  refuseOtherCopy('the device', gpu);
  if (signature.state) refuseOtherCopy('the state', signature.state);
  const layout = signature.state?.layout ?? ({} as StateLayout<G>);
  const { report } = await tunedTarget(gpu, recordedNodes(recordInput(layout, step, signature)));
  return report;
}

const SIGNATURE: Record<keyof Signature<BatchSpec, KnobSpec>, true> = {
  state: true,
  batch: true,
  knobs: true,
  metricRows: true,
  fusion: true,
  isolate: true,
  ranks: true,
  maxSubmitSeconds: true,
};

function checkCall(step: unknown, signature: unknown): void {
  if (typeof step !== 'function')
    throw new TensorError('argument', `compile(gpu, step, signature): step is no function but ${typeof step}`);
  const problem = optionProblem(signature, SIGNATURE);
  if (problem) throw new TensorError('options', `compile: ${problem}`);
  const { ranks } = signature as Signature<BatchSpec, KnobSpec>;
  if (ranks !== undefined && !isRanks(ranks))
    throw new TensorError(
      'options',
      'compile: ranks has no rank, size, allReduce, reduceScatter and allGather; give a Communicator of @franca/collective',
    );
}

const isRanks = (ranks: Ranks): boolean =>
  typeof ranks === 'object' &&
  Number.isInteger(ranks?.rank) &&
  Number.isInteger(ranks.size) &&
  [ranks.allReduce, ranks.reduceScatter, ranks.allGather].every((call) => typeof call === 'function');

function refuseIfTooLarge(gpu: Gpu, { report }: Plan): void {
  const { inputs = 0, constants = 0, activations = 0, staging = 0 } = report.bytes;
  const extra = inputs + constants + activations + staging;
  if (gpu.allocatedBytes + extra <= gpu.memoryLimit) return;
  const top = report.largest.slice(0, 3).map(({ name, bytes }) => `${name} ${mebibytes(bytes)}`);
  throw new TensorError(
    'memory',
    `the step needs ${mebibytes(extra)} besides ${mebibytes(gpu.allocatedBytes)} in use, the limit is ${mebibytes(gpu.memoryLimit)}; largest: ${top.join(', ')}; peak at ${report.peak.at} (${report.peak.site}); use a smaller batch, rematerialisation, f16 or chunks`,
  );
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

async function prepare<B extends BatchSpec, K extends KnobSpec, O extends TensorTree>(
  gpu: Gpu,
  plan: Plan,
  buffers: PlanBuffers,
  signature: Omit<Signature<B, K>, 'state'> & { readonly state?: Pick<State, 'buffers' | 'layout'> },
  owner: string,
): Promise<Omit<Step<B, K, O>, 'tuning'>> {
  const { device } = gpu;
  const { state, ranks } = signature;
  const bufferAt = bufferLookup(buffers, state?.buffers);
  const began = performance.now();
  const before = gpu.created.pipelines;
  const { encode, distinct } = await planEncoder(gpu, plan, buffers, bufferAt);
  const compileTime = { seconds: (performance.now() - began) / 1000, pipelines: gpu.created.pipelines - before };
  const inputs = inputWriter(device, plan, buffers, signature);
  const submits = boundSubmits(plan, signature.isolate ? 0 : (signature.maxSubmitSeconds ?? 0.25));
  const ring = metricRing<O>(gpu, plan, bufferAt, signature.metricRows ?? 64, owner);
  const exchanges = planExchanges(gpu, plan, buffers.staging, ranks, owner);
  const used = [state?.buffers, ranks].filter((one) => one !== undefined);
  const copies = copiesOfState(state?.buffers);
  await copies?.prepare();
  const leavesCopies = copies && outdatesCopies(plan, state!.layout);
  const runner = planRunner({ device, plan, exchanges, knob: inputs.knob, owner, used });
  type Given = Parameters<Step<B, K>['run']>;
  let running = true;
  let hasRun = false;
  const refuseIfDisposed = (hint = ''): void => {
    if (!running) throw new TensorError('state', `${owner} was disposed${hint}`);
  };
  const begin = (batch: Given[0], knobs: Given[1]): void => {
    refuseIfDisposed();
    runner.refuseIfBusy();
    inputs.write(batch ?? {}, knobs ?? {});
    copies?.update();
    if (leavesCopies) copies.outdate();
    hasRun = true;
  };
  const runNext = async <T>(batch: Given[0], knobs: Given[1], work: () => Promise<T>): Promise<T> =>
    runner.afterRun(() => {
      begin(batch, knobs);
      return runner.start(work);
    });
  const look = async <T>(at: () => Promise<T>): Promise<T> => {
    refuseIfDisposed('; read its outputs before');
    if (!hasRun) throw new TensorError('state', `${owner} has not run; it has no outputs to read before`);
    return runner.afterRun(at);
  };
  const dispose = (): void => {
    if (!running) return;
    running = false;
    const over = runner.close();
    for (const buffer of [...buffers.all, ...ring.buffers]) gpu.destroyBuffer(buffer, over);
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
      inputs.given(name);
      return buffer;
    },
    run(batch, knobs) {
      begin(batch, knobs);
      runner.start(() => runner.perform(submits, encode, ring.push));
    },
    done: () => runner.afterRun(() => gpu.wait(device.queue.onSubmittedWorkDone())),
    read: (path) => look(() => readOutput(gpu, plan, bufferAt, path)),
    metrics: () => runner.afterRun(ring.drain),
    latest: () => look(ring.latest),
    async profile(batch, knobs) {
      refuseWithoutTimestamps(gpu);
      return runNext(batch, knobs, async () => {
        const times = await profile(gpu, plan, encode, runner.perform);
        const encoder = device.createCommandEncoder();
        ring.push(encoder);
        device.queue.submit([encoder.finish()]);
        return times;
      });
    },
    findNonFinite: () => runNext({}, {}, () => findNonFinite(gpu, plan, bufferAt, encode, runner.perform)),
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
