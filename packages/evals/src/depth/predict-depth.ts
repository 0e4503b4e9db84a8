/** Depth maps from a trained probe, on the device. */
import { parametersOf } from '@franca/nn';
import { compile, createState, type Gpu, type State, type Tensor } from '@franca/tensor';
import { planCache } from '../backend/plan-cache';
import { checkArgument, checkOption, EvalsError } from '../errors';
import { batchNormDepth } from './batch-norm-head';
import { type BatchShape, batchValues, levelSpecs, shapeOf } from './depth-batch';
import { checkTokens, type DepthTokens } from './depth-features';
import { headDepth } from './depth-heads';
import type { DepthPredictor, DepthProbe } from './depth-probe';
import { DEPTH_PROTOCOLS, DEPTH_RANGE } from './depth-protocol';
import { probeSpecs, resizedDepth } from './depth-step';

/** Images of one run; more are cut, fewer filled up. */
const IMAGES_AT_ONCE = 8;

/**
 * A predictor: the weights stay on the device, a step is compiled once for each extent that comes.
 *
 * @throws EvalsError `argument` or `options` for what is no probe
 */
export function openDepthPredictor(gpu: Gpu, probe: DepthProbe): DepthPredictor {
  checkArgument('openDepthPredictor', 'gpu', gpu, 'object');
  checkArgument('openDepthPredictor', 'probe', probe, 'object');
  checkArgument('openDepthPredictor', 'probe.protocol', probe.protocol, DEPTH_PROTOCOLS);
  checkArgument('openDepthPredictor', 'probe.weights', probe.weights, 'object');
  const state = stateOf(gpu, probe);
  const plans = planCache();
  const compileFor = (shape: BatchShape) =>
    compile(
      gpu,
      (groups, inputs) => {
        const levels: readonly Tensor[] = Object.values(inputs);
        const weights = groups.weights!.tensors;
        const statistics = groups.statistics?.tensors;
        const depth = statistics
          ? batchNormDepth(weights, levels, statistics, { training: false })
          : headDepth(parametersOf(weights), levels, probe);
        return { depth: resizedDepth(depth, shape, probe) };
      },
      { state, batch: levelSpecs(shape) },
    );
  return {
    async predict(features) {
      const images = checkTokens('predict', features);
      checkKind(features, probe);
      const pixels = features.depthSize[0] * features.depthSize[1];
      const tokens = features.grid[0] * features.grid[1] * features.dim;
      const shape = shapeOf(features, Math.min(images, IMAGES_AT_ONCE));
      const step = await plans.get(JSON.stringify(shape), () => compileFor(shape));
      const depths = new Float32Array(images * pixels);
      for (let begin = 0; begin < images; begin += shape.images) {
        const end = Math.min(begin + shape.images, images);
        const levels = features.levels.map((level) => level.subarray(begin * tokens, end * tokens));
        step.run(batchValues({ ...features, levels }, shape));
        const maps = (await step.read('depth')) as Float32Array;
        depths.set(maps.subarray(0, (end - begin) * pixels), begin * pixels);
      }
      return probe.protocol === 'dinov3' ? depths.map(inRange) : depths;
    },
    [Symbol.dispose]() {
      plans[Symbol.dispose]();
      state.dispose();
    },
  };
}

/** DINOv3 clamps what it judges; bins keep a prediction in this range up to rounding. */
const inRange = (depth: number): number => Math.min(Math.max(depth, DEPTH_RANGE[0]), DEPTH_RANGE[1]);

/** The probe's tensors on the device, each of the shape that its head has. */
function stateOf(gpu: Gpu, probe: DepthProbe): State {
  const { weights, statistics } = probeSpecs(probe);
  for (const [name, { shape }] of Object.entries({ ...weights, ...statistics })) {
    const given = probe.weights[name];
    checkOption(
      given?.data instanceof Float32Array && given.shape.join() === shape.join(),
      `openDepthPredictor: ${name} is ${given ? `[${given.shape}]` : 'absent'}; a ${probe.head} head of ${probe.protocol} has [${shape}]`,
    );
  }
  const hasStatistics = Object.keys(statistics).length > 0;
  const state = createState(gpu, hasStatistics ? { weights, statistics } : { weights }) as State;
  for (const [group, specs] of Object.entries({ weights, statistics }))
    for (const name of Object.keys(specs)) state.write(group, name, probe.weights[name]!.data);
  return state;
}

function checkKind({ dim, levels }: DepthTokens, probe: DepthProbe): void {
  if (dim !== probe.dim || levels.length !== probe.levels)
    throw new EvalsError(
      'features',
      `predict: ${levels.length} levels of width ${dim}; the probe reads ${probe.levels} of ${probe.dim}`,
    );
}

/**
 * DINOv3's prediction for one image: the mean of its own and of that of its mirror image, mirrored back.
 *
 * @param size rows and columns of both maps
 * @throws EvalsError `argument` or `options`
 */
export function mirroredMean(
  depth: Float32Array,
  ofMirrored: Float32Array,
  size: readonly [rows: number, cols: number],
): Float32Array {
  checkArgument('mirroredMean', 'depth', depth, 'Float32Array');
  checkArgument('mirroredMean', 'ofMirrored', ofMirrored, 'Float32Array');
  checkArgument('mirroredMean', 'size', size, 'numbers');
  const [rows, cols] = size;
  checkOption(
    size.length === 2 && depth.length === rows * cols && ofMirrored.length === depth.length,
    `mirroredMean: maps of ${depth.length} and ${ofMirrored.length} depths; each must be ${size.join(' x ')}`,
  );
  return depth.map((value, i) => (value + ofMirrored[i - (i % cols) + cols - 1 - (i % cols)]!) / 2);
}
