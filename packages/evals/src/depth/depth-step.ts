/** The compiled step that trains a depth probe: forward pass, loss, gradients and AdamW in one plan, by the rule of the protocol. */
import { adamW, initialise, optimizerState, type ParameterSpecs, parametersOf, stateEntries } from '@franca/nn';
import {
  add,
  compile,
  createState,
  type Gpu,
  type GroupTensors,
  grad,
  type KnobSpec,
  literal,
  mul,
  reshape,
  type State,
  type StateSpec,
  sizeOf,
  spec,
  store,
  type Tensor,
} from '@franca/tensor';
import { EvalsError } from '../errors';
import { batchNormDepth, batchNormHeadSpecs, statisticsSpecs } from './batch-norm-head';
import { BETA2, type CycleKnobs, cycleAdamW } from './cycle-adamw';
import { type BatchShape, levelSpecs } from './depth-batch';
import { type HeadShape, headDepth, headSpecs, mapResize } from './depth-heads';
import { gradientLoss, groupedSigLoss, logErrors, sigLoss } from './depth-losses';
import type { ProbeTensor } from './depth-probe';
import { depthProtocol, farthest } from './depth-protocol';
import { longCycle, warmCosine } from './depth-schedule';
import { resizeMaps } from './map-resize';

export interface DepthStep extends Disposable {
  /** Runs the step with this number of so many; its loss before it. */
  run(values: Readonly<Record<string, Float32Array>>, at: number, steps: number): Promise<number>;
  weights(): Promise<Record<string, ProbeTensor>>;
  /** Everything that training goes on from, as `group/name`. */
  tensors(): Promise<Record<string, Float32Array>>;
  /** @throws EvalsError `options` where these are not of such a step */
  load(tensors: Readonly<Record<string, Float32Array>>): void;
}

type Groups = Readonly<Record<string, GroupTensors>>;
type Named = Readonly<Record<string, Tensor>>;

/** Groups that are part of a probe, and those that only training needs. */
const KEPT = ['weights', 'statistics'];
const MOMENTS = ['m', 'v', 'optimizer'];

/** What a head is made of: parameters, and running averages where it has any. */
export const probeSpecs = (
  head: HeadShape,
): { readonly weights: ParameterSpecs; readonly statistics: ParameterSpecs } =>
  head.protocol === 'dinov3'
    ? { weights: batchNormHeadSpecs(head.levels * head.dim), statistics: statisticsSpecs(head.levels * head.dim) }
    : { weights: headSpecs(head), statistics: {} };

/** @throws TensorError where the device has no room for it */
export async function openDepthStep(gpu: Gpu, shape: BatchShape, head: HeadShape, seed: number): Promise<DepthStep> {
  const { weights, statistics } = probeSpecs(head);
  const isCycle = head.protocol === 'dinov3';
  const { gradient, ...moments } = optimizerState(weights);
  const groups: StateSpec = isCycle
    ? { weights, statistics, m: weights, v: weights }
    : { weights, gradient, ...moments };
  const state = createState(gpu, groups);
  try {
    await initialise(gpu, state, 'weights', weights, seed);
    if (isCycle) await initialise(gpu, state, 'statistics', statistics, seed);
    const knobs: KnobSpec = isCycle ? { lr: [], beta1: [], c1: [], c2: [], spread: [] } : { lr: [] };
    const step = await compile(gpu, isCycle ? cycleStep(shape, head) : probe3dStep(shape, head), {
      state,
      batch: { ...levelSpecs(shape), depths: spec([shape.images, ...shape.depthSize]) },
      knobs,
    });
    return {
      async run(values, at, steps) {
        step.run(values, isCycle ? cycleValues(at, steps) : { lr: probe3dRate(head, at, steps) });
        return (await step.latest()).loss;
      },
      async weights() {
        const weights: Record<string, ProbeTensor> = {};
        for (const { name, shape, data } of entriesOf(state, KEPT))
          weights[name] = { shape, data: (await data()) as Float32Array };
        return weights;
      },
      async tensors() {
        const tensors: Record<string, Float32Array> = {};
        for (const { group, name, data } of entriesOf(state, [...KEPT, ...MOMENTS]))
          tensors[`${group}/${name}`] = (await data()) as Float32Array;
        return tensors;
      },
      load: (tensors) => loadGroups(state, [...KEPT, ...MOMENTS], tensors),
      [Symbol.dispose]() {
        step.dispose();
        state.dispose();
      },
    };
  } catch (error) {
    state.dispose();
    throw error;
  }
}

/** Share of the steps over which Probe3D's rate rises: 1.5 epochs of 10. */
const WARMUP = 0.15;

const probe3dRate = ({ protocol }: HeadShape, at: number, steps: number): number =>
  depthProtocol(protocol).learningRate * warmCosine(at, steps, WARMUP * steps);

/** 10 SigLoss + 0.5 gradient loss; AdamW with decay .01 on everything. */
function probe3dStep(shape: BatchShape, head: HeadShape) {
  return (groups: Groups, { depths, ...levels }: Named, { lr }: Named) => {
    const weights = groups.weights!;
    const prediction = resizedDepth(headDepth(parametersOf(weights.tensors), Object.values(levels), head), shape, head);
    const errors = logErrors(prediction, depths!, farthest(head.protocol));
    const along = head.protocol === 'probe3d' ? 'batch' : 'rows-and-columns';
    const loss = add(mul(sigLoss(errors), 10), mul(gradientLoss(errors, along), 0.5));
    const gradients = store(groups.gradient!, grad(loss, weights.tensors));
    const { m, v, optimizer } = groups;
    const corrections = optimizer!.tensors.corrections!;
    const rule = () => ({ lrMultiplier: 1, weightDecayMultiplier: 1, isLastLayer: false });
    adamW({ weights, m: m!, v: v!, gradients, corrections, lr: lr!, weightDecay: literal(0.01) }, { rule });
    return { loss };
  };
}

/** DINOv3's processes have two images each, and losses of their own. */
const IMAGES_PER_PROCESS = 2;
/** Steps that DINOv3's SigLoss takes without the variance. */
const STEPS_WITHOUT_SPREAD = 100;

function cycleStep(shape: BatchShape, head: HeadShape) {
  return (groups: Groups, { depths, ...levels }: Named, knobs: Named) => {
    const weights = groups.weights!.tensors;
    const statistics = groups.statistics!.tensors;
    const depth = batchNormDepth(weights, Object.values(levels), statistics, { training: true });
    const errors = logErrors(resizedDepth(depth, shape, head), depths!, farthest(head.protocol));
    const each = shape.images % IMAGES_PER_PROCESS === 0 ? IMAGES_PER_PROCESS : shape.images;
    const loss = groupedSigLoss(errors, shape.images / each, knobs.spread!);
    const gradients = grad(loss, weights);
    const [m, v] = [groups.m!.tensors, groups.v!.tensors];
    cycleAdamW({ weights, m, v, gradients }, knobs as unknown as CycleKnobs);
    return { loss };
  };
}

function cycleValues(at: number, steps: number): Record<string, number> {
  const { learningRate: lr, beta1 } = longCycle(at, steps, depthProtocol('dinov3').learningRate);
  const spread = Number(at >= STEPS_WITHOUT_SPREAD);
  return { lr, beta1, c1: 1 - beta1 ** (at + 1), c2: 1 - BETA2 ** (at + 1), spread };
}

/** Maps `[B, rows, cols]` at the extent of the measured depth. */
export function resizedDepth(
  depth: Tensor,
  { depthSize }: Pick<BatchShape, 'depthSize'>,
  { protocol }: HeadShape,
): Tensor {
  const images = depth.shape[0]!;
  const maps = resizeMaps(reshape(depth, [...depth.shape, 1]), depthSize, mapResize(protocol));
  return reshape(maps, [images, ...depthSize]);
}

/** Tensors of those groups that there are. */
const entriesOf = (state: State, groups: readonly string[]) =>
  groups
    .filter((group) => state.layout[group] !== undefined)
    .flatMap((group) => stateEntries(state, group).map((entry) => ({ ...entry, group })));

function loadGroups(state: State, names: readonly string[], tensors: Readonly<Record<string, Float32Array>>): void {
  const wanted = entriesOf(state, names);
  const odd = wanted.find(({ group, name, shape }) => tensors[`${group}/${name}`]?.length !== sizeOf(shape));
  if (odd || wanted.length !== Object.keys(tensors).length)
    throw new EvalsError(
      'options',
      `trainDepthProbe: resume is of another training${odd ? `; ${odd.group}/${odd.name} is not of ${sizeOf(odd.shape)} values there` : ''}`,
    );
  for (const { group, name } of wanted) state.write(group, name, tensors[`${group}/${name}`]!);
}
