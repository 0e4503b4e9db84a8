/**
 * Classifies photographs with a pretrained ViT and its linear head: `tsx classify-photos.ts <weights.safetensors> <image> ...`. Any ViT with
 * official or timm names and a `head.weight` will do. Prints the five likeliest ImageNet classes of each image by index.
 */

import { readFile } from 'node:fs/promises';
import { openSafetensors } from '@franca/checkpoint';
import { decodeImage, PREPROCESS_224, preprocess } from '@franca/data';
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { configOfWeights, loadVit } from '@franca/vit';

export interface Ranked {
  readonly image: string;
  readonly classes: readonly number[];
}

/** The `top` likeliest classes of each image. */
export async function classify(gpu: Gpu, weights: string, images: readonly string[], top = 5): Promise<Ranked[]> {
  const file = await openSafetensors(weights);
  const shapes = Object.fromEntries([...file.tensors].map(([name, { shape }]) => [name, shape]));
  const [classes, D] = shapes['head.weight'] as [number, number];
  const [head, bias] = [await file.readFloat32('head.weight'), await file.readFloat32('head.bias')];
  // attention heads, which shapes do not tell, are those of the published ViT of that width; another width is refused
  const { config } = configOfWeights(shapes);
  using model = await loadVit(gpu, config, (name) => (file.tensors.has(name) ? file.readFloat32(name) : undefined));
  const ranked: Ranked[] = [];
  for (const image of images) {
    const { cls } = await model.run(preprocess(await decodeImage(await readFile(image)), PREPROCESS_224));
    const logits = Float64Array.from(
      { length: classes },
      (_, c) => bias[c]! + cls.reduce((sum, value, d) => sum + value * head[c * D + d]!, 0),
    );
    ranked.push({
      image,
      classes: Array.from(logits, (_, c) => c)
        .sort((a, b) => logits[b]! - logits[a]!)
        .slice(0, top),
    });
  }
  await file.close();
  return ranked;
}

if (process.argv[1] === import.meta.filename) {
  const [weights, ...images] = process.argv.slice(2);
  if (!weights || images.length === 0)
    throw new Error('usage: tsx classify-photos.ts <weights.safetensors> <image> ...');
  await using gpu = await openGpu();
  for (const { image, classes } of await classify(gpu, weights, images)) console.log(`${image}: ${classes.join(', ')}`);
}
