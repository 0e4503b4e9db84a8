import { parametersOf } from '@franca/nn';
import { defaultTarget, planStep, type Tensor } from '@franca/tensor';
import { expect, test } from 'vitest';
import { vitConfig } from './config';
import { vitSpecs } from './specs';
import { vit } from './vit';

test('planning ViT-B/14 at 224 px needs no device and reports its memory', () => {
  const config = vitConfig('base');
  const target = { ...defaultTarget, maxBufferBytes: 2 ** 30 };
  const specs = vitSpecs(config);
  const plan = planStep(
    target,
    {},
    (_, batch: Record<string, Tensor>) => ({
      cls: vit(parametersOf(batch), batch.images!, config).cls,
    }),
    { batch: { ...specs, images: { shape: [1, 3, 224, 224], dtype: 'f32' } } },
  );
  // 23.16 GMAC per image, two operations each, plus norms and softmax
  expect(plan.report.flops / 2e9).toBeGreaterThan(23.1);
  expect(plan.report.flops / 2e9).toBeLessThan(24);
});
