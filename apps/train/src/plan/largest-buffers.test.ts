/** No buffer of an official recipe is larger than one allocation may be, though a group of state of ViT-g is. */
import { pretrainGroups } from '@franca/pretraining';
import { LARGEST_GPU_BUFFER, layoutState } from '@franca/tensor';
import { expect, test } from 'vitest';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { targetNamed } from './named-adapters';
import { planPretraining } from './plan-pretraining';

test('the step of ViT-g is planned into buffers of at most 4 GiB - 2 MiB', async () => {
  const caps = { maxBufferBytes: LARGEST_GPU_BUFFER, maxBindingBytes: LARGEST_GPU_BUFFER };
  const options = derive(loadConfig(['official-in21k-vitg14']).config, { size: 1, rank: 0, f16: true });
  const layout = layoutState(pretrainGroups(options), caps);
  const student = layout.student!;
  expect(student.bytes).toBeGreaterThan(LARGEST_GPU_BUFFER);
  expect(student.buffers.length).toBeGreaterThan(1);
  const { slotBytes } = planPretraining(options, { ...(await targetNamed('h200-like')), ...caps });
  const state = Object.values(layout).flatMap(({ buffers }) => buffers.map((elements) => 4 * elements));
  expect(Math.max(...state, ...slotBytes)).toBeLessThanOrEqual(LARGEST_GPU_BUFFER);
});
