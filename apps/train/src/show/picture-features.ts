/** What a model makes of single pictures: patch features and the attention of CLS, large enough to look at. */
import { resizeAndCrop } from '@franca/data';
import { removePlanes } from '@franca/rasa';
import type { AttentionFigureItem, PcaFigureItem, RgbImage } from '@franca/viz';
import type { FeatureSession } from '../features/session';
import { prepare } from '../image-sets/preparation';
import type { Picture } from './pictures';

/** A picture as both figures take it. */
export interface Look {
  readonly name: string;
  readonly pca: PcaFigureItem;
  readonly attention: AttentionFigureItem;
}

/** Runs one picture, its shorter side resized to the session's input and the centre cut out. */
export async function look(session: FeatureSession, { name, label, image }: Picture): Promise<Look> {
  const { model, weights, size } = session;
  const { embedDim: dim, numHeads: heads, numRegisterTokens } = model.config;
  const crop = { kind: 'crop', resize: size, size } as const;
  const data = new Float32Array(3 * size * size);
  prepare(image, crop, data);
  const images = { data, shape: [1, 3, size, size] as const };
  const { patches, attention, grid } = await model.run(images, { patches: true, attention: true });
  const [height, width] = grid;
  removePlanes(patches, dim, weights.rasa.planes);
  const shown: RgbImage = { width: size, height: size, data: resizeAndCrop(image, { resize: size, crop: size }) };
  return {
    name,
    pca: { image: shown, features: { data: patches, height, width, dim }, label },
    attention: {
      image: shown,
      attention: { data: toPatches(attention, heads, 1 + numRegisterTokens), heads, patches: height * width },
      grid: { height, width },
      label,
    },
  };
}

/** Attention [heads, tokens] without the columns of CLS and registers. */
function toPatches(attention: Float32Array, heads: number, prefix: number): Float32Array {
  const tokens = attention.length / heads;
  const kept = Array.from({ length: heads }, (_, h) => attention.subarray(h * tokens + prefix, (h + 1) * tokens));
  return Float32Array.from(kept.flatMap((row) => [...row]));
}
