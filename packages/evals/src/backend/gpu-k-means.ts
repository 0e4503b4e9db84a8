/**
 * Nearest centroids on a device, block by block of points. `argmin_c |x - c|^2 = argmax_c (<x, c> - |c|^2 / 2)`: one
 * product matrix and an argmax per block, for any number of centroids. Only labels come back. Distances to the chosen
 * centroid and the sums of each cluster are a k-th of that work; they are computed here in f64, in order of the points,
 * as on the CPU.
 *
 * Labels agree with the CPU's but for points whose two nearest centroids are closer than f32 rounding tells apart.
 */
import { compile, type Gpu, matmul, type Step, sub, topK } from '@franca/tensor';
import type { Matrix } from '../matrix';
import { nearestDistances, sumClusters } from './cluster-sums';
import type { Assignment, KMeansSession } from './eval-backend';
import { blockOf, evenBlocks } from './gpu-tiles';
import { type PlanCache, planCache } from './plan-cache';

const POINT_BLOCK = 4096;
/** Scores of a block of points against all centroids. */
const MAX_SCORES = 2 ** 24;

type AssignStep = Step<
  {
    points: { shape: number[]; dtype: 'f32' };
    centroids: { shape: number[]; dtype: 'f32' };
    offsets: { shape: number[]; dtype: 'f32' };
  },
  Record<string, never>
>;

export function openKMeans(gpu: Gpu, points: Matrix): KMeansSession {
  const plans = planCache();

  async function assign(centroids: Matrix): Promise<Assignment> {
    const labels =
      centroids.rows === 1 ? new Int32Array(points.rows) : await nearestLabels(gpu, plans, points, centroids);
    return { labels, distances: nearestDistances(points, centroids, labels) };
  }

  return {
    assign,
    accumulate: async (centroids) => sumClusters(points, centroids.rows, await assign(centroids)),
    [Symbol.dispose]: () => plans[Symbol.dispose](),
  };
}

async function nearestLabels(gpu: Gpu, plans: PlanCache, points: Matrix, centroids: Matrix): Promise<Int32Array> {
  const labels = new Int32Array(points.rows);
  if (points.rows === 0) return labels;
  const width = evenBlocks(centroids.rows, centroids.rows);
  const size = evenBlocks(points.rows, Math.min(POINT_BLOCK, Math.ceil(MAX_SCORES / width)));
  const step = await plans.get(`${width}`, () => compileAssign(gpu, [size, width, points.cols]));
  const shared = { centroids: blockOf(centroids, 0, width), offsets: halfSquares(centroids, width) };
  for (let begin = 0; begin < points.rows; begin += size) {
    step.run({ points: blockOf(points, begin, size), ...(begin === 0 ? shared : {}) });
    const block = await step.read('labels');
    labels.set(block.subarray(0, Math.min(size, points.rows - begin)), begin);
  }
  return labels;
}

const compileAssign = (gpu: Gpu, [size, width, cols]: readonly [number, number, number]): Promise<AssignStep> =>
  compile(
    gpu,
    (_, { points, centroids, offsets }) => ({
      labels: topK(sub(matmul(points, centroids, { transposeB: true }), offsets), 1).indices,
    }),
    {
      batch: {
        points: { shape: [size, cols], dtype: 'f32' },
        centroids: { shape: [width, cols], dtype: 'f32' },
        offsets: { shape: [width], dtype: 'f32' },
      },
    },
  );

/** `|c|^2 / 2` of each centroid; rows that only fill the block get a number that no score survives. */
function halfSquares({ data, rows, cols }: Matrix, width: number): Float32Array {
  const squares = new Float64Array(width).fill(3e38, rows);
  data.forEach((value, i) => {
    squares[Math.floor(i / cols)]! += value ** 2 / 2;
  });
  return Float32Array.from(squares);
}
