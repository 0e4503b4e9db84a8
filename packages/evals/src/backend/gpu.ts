/**
 * The backend that computes on a WebGPU device. Products in f32, counts exact, equal scores by the lowest index, the
 * same bits on every run.
 *
 * What stays on the processor: softmax regressions that f64 does in little time there, since their second-order solver gains by it and WGSL has
 * none. On a software adapter also counting: it only moves memory, which a loop over the arrays does without the copies. A linear
 * grid whose weights or logits exceed one binding for a single head and item goes there too.
 */
import type { Gpu } from '@franca/tensor';
import { checkOption } from '../errors';
import { countPairs as countOnCpu } from './cpu-count-pairs';
import { openLinearGrid as openGridOnCpu } from './cpu-linear-grid';
import { openSoftmaxRegression as openSoftmaxOnCpu } from './cpu-softmax-regression';
import type { EvalBackend } from './eval-backend';
import { countPairs } from './gpu-count-pairs';
import { openGram } from './gpu-gram';
import { openKMeans } from './gpu-k-means';
import { labelMap } from './gpu-label-map';
import { fitsGrid, openLinearGrid } from './gpu-linear-grid';
import { products } from './gpu-products';
import { openSoftmaxRegression, suitsDevice } from './gpu-softmax-regression';
import { openTopK } from './gpu-top-k';
import { planCache } from './plan-cache';

/** The heavy operations on a device, and what has to be disposed of before it. */
export interface GpuBackend extends EvalBackend {
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Dispose of it before the device. */
export function gpuBackend(gpu: Gpu): GpuBackend {
  checkOption(
    typeof gpu === 'object' && gpu !== null && 'target' in gpu,
    'gpuBackend: gpu is no device; give what openGpu of @franca/tensor opens, awaited',
  );
  const plans = planCache();
  const isSoftware = gpu.target.family === 'cpu';
  const dispose = (): void => plans[Symbol.dispose]();
  return {
    name: `webgpu (${gpu.target.name})`,
    products: (a, b) => products(gpu, a, b),
    openTopK: (queries, k) => openTopK(gpu, queries, k),
    openGram: (cols) => openGram(gpu, cols),
    openKMeans: (points) => openKMeans(gpu, points),
    labelMap: (scores, size) => labelMap(gpu, plans, scores, size),
    countPairs: (pairs) => (isSoftware ? countOnCpu(pairs) : countPairs(gpu, plans, pairs)),
    openLinearGrid: (spec) => (fitsGrid(gpu, spec) ? openLinearGrid(gpu, spec) : openGridOnCpu(spec)),
    openSoftmaxRegression: (problem) =>
      suitsDevice(gpu, problem) ? openSoftmaxRegression(gpu, problem) : openSoftmaxOnCpu(problem),
    dispose,
    [Symbol.dispose]: dispose,
  };
}
