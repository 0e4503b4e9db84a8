import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dinoLoss, koleoLoss } from '@franca/losses';
import { headSpecs, matryoshkaConfig, projectionHead } from '@franca/matryoshka-heads';
import { initialise, parametersOf, planChunks, prefixed, prototypeLogits, within } from '@franca/nn';
import { sinkhornTargets } from '@franca/sinkhorn';
import { compile, createState, grad, type Spec } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { vit, vitConfig, vitSpecs } from '@franca/vit';
import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('features of a model are drawn, classified and freed of positions as they are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'features-'));
  const printed = await runExample('features-go-on.ts', folder);
  expect(printed).toMatch(/^k-NN, untrained: \d+\.\d % of 12 pictures$/m);
  const [, before, after] = /R2 (-?[\d.]+), (-?[\d.]+) after RASA/.exec(printed)!.map(Number);
  expect(before).toBeGreaterThan(0.3);
  expect(after).toBeLessThan(before! / 2);
  for (const name of ['pca.png', 'attention.png'])
    expect((await readFile(join(folder, name))).length).toBeGreaterThan(5000);
});

test('tokens of the forward pass go through heads into the losses as they are', async () => {
  await using gpu = await openGpu();
  const config = vitConfig('tiny', { embedDim: 32, depth: 1, numHeads: 2, imgSize: 28, layerScale: 1 });
  const head = matryoshkaConfig(32, 32, { hiddenDim: 32, bottleneckDim: 16 });
  const specs = { ...prefixed('backbone', vitSpecs(config)), ...prefixed('head', headSpecs(head)) };
  using state = createState(gpu, { weights: specs });
  await initialise(gpu, state, 'weights', specs, 0);
  const [views, rows] = [2, 8];
  using step = await compile(
    gpu,
    ({ weights }, { images }) => {
      const p = parametersOf(weights.tensors);
      const { cls } = vit(within(p, 'backbone'), images, config);
      const levels = projectionHead(within(p, 'head'), cls, head).map(({ features, prototypes }) => {
        const plan = planChunks({ count: prototypes.count, width: prototypes.width, rows });
        const logits = (temperature: number) => prototypeLogits(features, prototypes, { temperature, plan });
        return { student: logits(0.1), targets: sinkhornTargets(logits(0.07)) };
      });
      const dino = dinoLoss(levels);
      const koleo = koleoLoss(cls);
      return { dino: dino.global, koleo, gradient: grad(koleo, weights.tensors)['backbone.cls_token'] };
    },
    { state, batch: { images: { shape: [rows, 3, 28, 28], dtype: 'f32' } satisfies Spec } },
  );
  step.run({ images: Float32Array.from({ length: views * 4 * 3 * 28 * 28 }, (_, i) => Math.sin(i * i)) });
  const { dino, koleo } = await step.latest();
  expect([dino, koleo].every(Number.isFinite)).toBe(true);
  expect(dino).toBeGreaterThan(0);
});
