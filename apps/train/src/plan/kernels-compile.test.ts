import type { Gpu, Target } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { compileKernels, PAPER_ADAPTERS } from '@franca/tensor/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { targetNamed } from './named-adapters';
import { planPretraining } from './plan-pretraining';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ adapter: 'null' });
});
afterAll(() => gpu.dispose());

const compiled = new Set<string>();

async function compileStep(preset: string, overrides: string[], target: Target): Promise<void> {
  const { config } = loadConfig([preset], overrides);
  const options = derive(config, { size: 1, rank: 0, f16: target.f16 });
  expect(options.precision).toBe(target.f16 ? 'f16' : 'f32');
  expect(await compileKernels(gpu, planPretraining(options, target), compiled)).toEqual([]);
}

// at default limits a binding holds 128 MiB, so few images
test.each(PAPER_ADAPTERS.map((target) => [target.name, target] as const))(
  'the step of gpu-small compiles for %s',
  (_, target) => compileStep('gpu-small', ['train.batch_size_per_gpu=4', 'franca.total_batch=8'], target),
);

test('the official recipes compile for a large GPU', async () => {
  const target = await targetNamed('h200-like');
  for (const preset of ['official-in21k-vitb14', 'official-in21k-vitg14', 'official-highres-vitb14'])
    await compileStep(preset, [], target);
});
