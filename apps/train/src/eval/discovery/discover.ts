/** All settings of object discovery on the features of one picture; inner products of the same tokens are computed once. */
import {
  type Discovery,
  dinoSeg,
  lost,
  type PatchFeatures,
  type PatchProducts,
  patchProducts,
  tokenCut,
} from '@franca/evals';
import type { Basis } from '@franca/rasa';
import { attentionOf, type PictureFeatures, type PictureRequest, tokensOf } from './picture-features';
import type { Setting } from './settings';

/**
 * One for each setting.
 * @throws EvalsError where the features hold a value that is no number
 */
export function discover(
  features: PictureFeatures,
  request: PictureRequest,
  settings: readonly Setting[],
  planes: readonly Basis[],
): Discovery[] {
  const known = new Map<string, { readonly tokens: PatchFeatures; readonly products: PatchProducts }>();
  const read = (setting: Exclude<Setting, { method: 'dino-seg' }>) => {
    const name = `${setting.feature} ${setting.layer}`;
    const tokens = known.get(name)?.tokens ?? tokensOf(features, request, setting, planes);
    const pair = known.get(name) ?? { tokens, products: patchProducts(tokens) };
    known.set(name, pair);
    return pair;
  };
  return settings.map((setting) => {
    if (setting.method === 'dino-seg') {
      const { grid, heads } = features;
      const { layer, mass, head } = setting;
      return dinoSeg({ grid, heads, attention: attentionOf(features, request, layer) }, { mass, head });
    }
    const { tokens, products } = read(setting);
    if (setting.method === 'lost') {
      const { k, normalise, bias } = setting;
      return lost(tokens, { k, normalise, bias, products });
    }
    const { tau, eps, weighted } = setting;
    return tokenCut(tokens, { tau, eps, weighted, products });
  });
}
