/**
 * A small Vision Transformer memorises 32 pictures of noise with random labels. Nothing about them can be guessed, so the loss falls from about
 * ln 8 = 2.08 to nearly 0 only if every gradient of the network is right.
 *
 *   npx tsx examples/overfit-vit.ts
 */
import { crossEntropy, linear, linearSpecs, prefixed, trainingStep, within } from '@franca/nn';
import { randomStream, spec } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { vit, vitConfig, vitSpecs } from '@franca/vit';

const [count, classes, steps] = [32, 8, 80];
const config = vitConfig('tiny', { embedDim: 64, depth: 2, numHeads: 2, imgSize: 16, patchSize: 4, layerScale: 1 });
const random = randomStream(7, 0);
const images = Float32Array.from({ length: count * 3 * 16 * 16 }, () => random.normal());
const labels = Uint32Array.from({ length: count }, () => Math.floor(random.uniform() * classes));

await using gpu = await openGpu();
using training = await trainingStep(
  gpu,
  { ...prefixed('vit', vitSpecs(config)), ...prefixed('head', linearSpecs(64, classes)) },
  (p, { images, labels }) => {
    const { cls } = vit(within(p, 'vit'), images, config);
    return { loss: crossEntropy(linear(within(p, 'head'), cls), labels) };
  },
  { batch: { images: spec([count, 3, 16, 16]), labels: spec([count], 'u32') } },
);
const { kernels, totalBytes } = training.report;
console.log(`One step is ${kernels} kernels in ${(totalBytes / 2 ** 20).toFixed(1)} MiB, planned before the first.`);

for (let i = 1; i <= steps; i++) {
  training.run({ images, labels }, { lr: 3e-3 * (1 - i / steps) });
  if (i % 10 === 0) console.log(`step ${i}/${steps}  loss ${(await training.latest()).loss.toFixed(4)}`);
}
const { loss } = await training.latest();
console.log(loss < 0.05 ? 'All 32 pictures are memorised.' : 'They are not memorised: a gradient is wrong.');
