/**
 * Where the outcome of a model goes: the same object into figures, evaluations and RASA, none of which knows the model. Untrained weights here, so
 * that nothing is downloaded; `loadVit` of a published file in their place makes it worth looking at.
 *
 *   npx tsx examples/features-go-on.ts [folder for the figures]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatedWorld, preprocess } from '@franca/data';
import { knn, positionDecodability } from '@franca/evals';
import { initialValues } from '@franca/nn';
import { fitRasa, removePlanes } from '@franca/rasa';
import { openGpu } from '@franca/tensor/node';
import { loadVit, vitConfig, vitSpecs } from '@franca/vit';
import { attentionFigure, imageFromTensor, pcaFigure } from '@franca/viz';
import { writeFigure } from '@franca/viz/node';

const [folder = tmpdir()] = process.argv.slice(2);
/** Pictures of a part: one size of batch, for which the model is compiled once. */
const COUNT = 12;
const PREPROCESSING = { resize: 56, crop: 56 };

await using gpu = await openGpu();
const config = vitConfig('tiny', {
  embedDim: 32,
  depth: 2,
  numHeads: 2,
  imgSize: 56,
  patchSize: 8,
  numRegisterTokens: 2,
  layerScale: 1,
});
/** Initial values, but for positions that stand out, as training makes them. */
const weights = new Map(
  Object.entries(vitSpecs(config)).map(([name, spec]) => {
    const values = initialValues(name, spec, 0);
    return [name, name === 'pos_embed' ? values.map((value) => 50 * value) : values];
  }),
);
using model = await loadVit(gpu, { config, weights: (name) => weights.get(name) });

/** Pictures `first` to `first + count` of a generated world: their features and their classes. */
async function describe(first: number, count: number) {
  const world = generatedWorld({ length: first + count, classes: 4, size: 64 });
  const samples = Array.from({ length: count }, (_, i) => world.sample(first + i));
  const images = preprocess(
    samples.map(({ image }) => image),
    PREPROCESSING,
  );
  const features = await model.run(images, { patches: true, attention: true });
  return { ...features, labels: Int32Array.from(samples, ({ label }) => label), images };
}

const train = await describe(0, COUNT);
const test = await describe(COUNT, COUNT);

const { outcome } = await knn(train, test, { ks: [5] });
console.log(`k-NN, untrained: ${(100 * outcome.value).toFixed(1)} % of ${outcome.evaluated} pictures`);
const { outcome: before } = await positionDecodability(train, test);
const { bases } = await fitRasa(gpu, train, { iterations: 2 });
for (const { patches, dim } of [train, test]) removePlanes(patches, dim, bases);
const { outcome: after } = await positionDecodability(train, test);
console.log(
  `position in a patch token: R2 ${before.value.toFixed(2)}, ${after.value.toFixed(2)} after RASA (planes removed: ${bases.length})`,
);

const pictures = Array.from({ length: COUNT }, (_, i) => imageFromTensor(test.images, i));
await writeFigure(join(folder, 'pca.png'), pcaFigure(pictures, test, { joint: true }));
await writeFigure(join(folder, 'attention.png'), attentionFigure(pictures, test, { mass: 0.6 }));
console.log(`figures: ${join(folder, 'pca.png')}, ${join(folder, 'attention.png')}`);
