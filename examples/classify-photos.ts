/**
 * Classifies photographs with a pretrained ViT and its linear head: `tsx classify-photos.ts <weights> <image> ...`. Any ViT with official or timm names and a
 * `head.weight` will do, such as timm's DeiT-Tiny. Prints the five likeliest ImageNet classes of each image by index.
 */

import { readFile } from 'node:fs/promises';
import { openCheckpoint } from '@franca/checkpoint';
import { decodeImage, PREPROCESS_224, preprocess } from '@franca/data';
import { openGpu } from '@franca/tensor/node';
import { loadClassifier, topClasses } from './classifier';

const [weights, ...images] = process.argv.slice(2);
if (!weights || images.length === 0) throw new Error('usage: tsx classify-photos.ts <weights> <image> ...');

await using gpu = await openGpu();
await using file = await openCheckpoint(weights);
using classifier = await loadClassifier(gpu, file);
// what shapes do not tell is said: these heads, for one, are those of the published ViT of that width
console.log(`assumed: ${classifier.model.assumed.join(', ') || 'nothing'}`);
for (const image of images) {
  const logits = await classifier.logits(preprocess(await decodeImage(await readFile(image)), PREPROCESS_224));
  console.log(`${image}: ${topClasses(logits).join(', ')}`);
}
