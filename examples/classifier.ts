/** A pretrained ViT with its linear head as a classifier; nothing here needs Node, so that a page runs the same code. */
import type { Gpu } from '@franca/tensor';
import { type ImageBatch, type LoadedVit, loadVit, type WeightFile } from '@franca/vit';

export interface Classifier extends Disposable {
  readonly model: LoadedVit;
  /** Class scores [B, classes] of normalised images. */
  logits(images: ImageBatch): Promise<Float32Array>;
}

/** Loads an open file of a ViT (official or timm names) that has a head `head.weight` [classes, D], `head.bias` [classes] on its CLS token. */
export async function loadClassifier(gpu: Gpu, file: WeightFile): Promise<Classifier> {
  const [weight, bias] = [await file.readFloat32('head.weight'), await file.readFloat32('head.bias')];
  const model = await loadVit(gpu, file);
  const { embedDim: D } = model.config;
  const score = (cls: Float32Array, c: number): number =>
    cls.reduce((sum, value, d) => sum + value * weight[c * D + d]!, bias[c]!);
  return {
    model,
    logits: async (images) => {
      const { cls } = await model.run(images);
      const each = Array.from({ length: images.shape[0] }, (_, b) => cls.subarray(b * D, (b + 1) * D));
      return Float32Array.from(each.flatMap((one) => Array.from(bias, (_, c) => score(one, c))));
    },
    [Symbol.dispose]: () => model.dispose(),
  };
}

/** The `count` likeliest classes of one image, by index. */
export function topClasses(logits: Float32Array, count = 5): number[] {
  const order = Array.from(logits, (_, c) => c).sort((a, b) => logits[b]! - logits[a]!);
  return order.slice(0, count);
}
