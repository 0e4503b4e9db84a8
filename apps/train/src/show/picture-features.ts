/** What a model makes of single pictures: patch features and the attention of CLS, large enough to look at. */
import { type PixelImage, preprocess, resizeAndCrop } from '@franca/data';
import { removePlanes } from '@franca/rasa';
import type { AttentionFeatures, PatchFeatures } from '@franca/viz';
import { requirePatches } from '../features/output-alone';
import type { FeatureSession } from '../features/session';
import type { Picture } from './pictures';

/** A picture and its features as both figures take them. */
export interface Look {
  readonly name: string;
  readonly label: string;
  readonly image: PixelImage;
  readonly features: PatchFeatures;
  /** Where the model gives it. */
  readonly attention: AttentionFeatures | undefined;
}

/** Why a model gives no attention of CLS, in words; undefined where it does. */
export function whyNoAttention({
  model,
  weights: { outputAlone },
}: Pick<FeatureSession, 'model' | 'weights'>): string | undefined {
  if (outputAlone) return `${outputAlone.what} gives its output alone`;
  return model.config.classToken === false ? 'the model has no CLS' : undefined;
}

/** Runs one picture, its shorter side resized to the session's input and the centre cut out. */
export async function look(session: FeatureSession, { name, label, image }: Picture): Promise<Look> {
  const { model, weights, size } = session;
  const crop = { resize: size, crop: size };
  requirePatches(weights);
  const attention = whyNoAttention(session) === undefined;
  const features = await model.run(preprocess(image, crop), { patches: true, attention });
  removePlanes(features.patches, features.dim, weights.rasa.planes);
  return {
    name,
    label,
    image: resizeAndCrop(image, crop),
    features,
    attention: features.attention && { ...features, attention: features.attention },
  };
}
