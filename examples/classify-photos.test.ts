import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openGpu } from '@franca/tensor/node';
import { configOfWeights, loadVit } from '@franca/vit';
import { expect, test } from 'vitest';
import { readSafetensors } from '../test/support/safetensors';
import { sharedData } from '../test/support/shared';
import { classify } from './classify-photos';

const deit = sharedData('deit-tiny');
const photos = sharedData('imagenette-128');
const weights = deit && join(deit, 'deit_tiny_patch16_224.safetensors');
const classes: Record<string, number> = {
  n01440764: 0,
  n02102040: 217,
  n02979186: 482,
  n03000684: 491,
  n03028079: 497,
  n03394916: 566,
  n03417042: 569,
  n03425413: 571,
  n03445777: 574,
  n03888257: 701,
};

test.skipIf(!deit)('DeiT-Tiny reproduces its golden tokens and logits (needs shared/data/deit-tiny)', async () => {
  const { tensors } = readSafetensors(weights!);
  const golden = readSafetensors(join(deit!, 'golden.safetensors')).tensors;
  const values = (name: string, from = tensors) => Float32Array.from(from.get(name)!.data);
  const shapes = Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
  const images = [...golden].find(([, { shape }]) => shape.length === 4)![1];
  await using gpu = await openGpu();
  using model = await loadVit(gpu, configOfWeights(shapes).config, (name) =>
    tensors.has(name) ? values(name) : undefined,
  );
  const batch = { data: Float32Array.from(images.data), shape: images.shape as [number, number, number, number] };
  const { cls, patches } = await model.run(batch, { patches: true });
  const [tokens, logits] = [values('final_norm_tokens', golden), values('logits', golden)];
  const D = model.config.embedDim;
  const B = images.shape[0]!;
  const N = patches.length / (B * D);
  const largest = tokens.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  let worst = 0;
  for (let b = 0; b < B; b++) {
    for (let d = 0; d < D; d++) worst = Math.max(worst, Math.abs(cls[b * D + d]! - tokens[b * (N + 1) * D + d]!));
    for (let i = 0; i < N * D; i++)
      worst = Math.max(worst, Math.abs(patches[b * N * D + i]! - tokens[(b * (N + 1) + 1) * D + i]!));
  }
  // both sides are f32 through 12 blocks; the parity suite allows 2e-5 of the largest value through 3
  expect(worst / largest).toBeLessThan(1e-4);
  const [head, bias] = [values('head.weight'), values('head.bias')];
  const own = Float64Array.from({ length: logits.length }, (_, i) => {
    const [b, c] = [Math.floor(i / bias.length), i % bias.length];
    let sum = bias[c]!;
    for (let d = 0; d < D; d++) sum += cls[b * D + d]! * head[c * D + d]!;
    return sum;
  });
  expect(Math.max(...own.map((value, i) => Math.abs(value - logits[i]!)))).toBeLessThan(1e-3);
});

test.skipIf(!deit || !photos)(
  'DeiT-Tiny classifies real photographs (needs shared/data/deit-tiny and imagenette-128)',
  async () => {
    const images = Object.keys(classes).flatMap((wnid) => {
      const folder = join(photos!, 'val', wnid);
      const names = readdirSync(folder).filter((name) => name.startsWith('ILSVRC2012_val_'));
      return names.slice(0, 6).map((name) => join(folder, name));
    });
    await using gpu = await openGpu();
    const ranked = await classify(gpu, weights!, images);
    const right = ranked.filter(({ image, classes: [first] }) => first === classes[image.split('/').at(-2)!]).length;
    // reference: 68.4 % of 500 such images at 224 px; three standard errors of 60 images below that is 50 %
    expect(right / ranked.length).toBeGreaterThan(0.5);
  },
);
