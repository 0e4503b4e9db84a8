import { openGpu } from '@franca/tensor/node';
import { PAPER_ADAPTERS } from '@franca/tensor/testing';
import { expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { gpuBackend } from './gpu';
import { countPairs } from './gpu-count-pairs';
import { openLinearGrid } from './gpu-linear-grid';
import { openSoftmaxRegression } from './gpu-softmax-regression';
import { planCache } from './plan-cache';

// the null backend validates pipelines against the default limits
const adapters = PAPER_ADAPTERS.filter(({ maxWorkgroupInvocations }) => maxWorkgroupInvocations <= 256);

test.each(adapters.map((target) => [target.name, target] as const))(
  'every kernel compiles for %s',
  async (_, target) => {
    await using gpu = await openGpu({ adapter: 'null', target });
    using backend = gpuBackend(gpu);
    using plans = planCache();
    const [x, y] = [gaussian(130, 12, 1), gaussian(7, 12, 2)];
    const labels = Int32Array.from({ length: x.rows }, (_, i) => i % 3);

    expect(await backend.products(x, y)).toHaveLength(130 * 7);
    using nearest = backend.openTopK(y, 5);
    await nearest.add(x);
    await nearest.result();
    using moments = backend.openGram(12);
    await moments.add(x);
    await moments.result();
    using means = backend.openKMeans(x);
    await means.assign(y);
    await means.accumulate(y);
    await backend.labelMap({ scores: gaussian(4, 3, 4), grid: [2, 2] }, [7, 9]);
    await countPairs(gpu, plans, { predicted: labels, target: labels, shape: [3, 3] });
    const head = {
      start: 0,
      end: 12,
      learningRate: 0.1,
      initial: { weight: gaussian(3, 12, 5), bias: new Float32Array(3) },
    };
    using grid = openLinearGrid(gpu, { inputs: 12, classes: 3, heads: [head], momentum: 0.9, weightDecay: 0 });
    await grid.step(x, labels, 1);
    using regression = openSoftmaxRegression(gpu, { x, labels, classes: 3 });
    await regression.evaluate(new Float64Array(39), new Float64Array(39));
  },
);
