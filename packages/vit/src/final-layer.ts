/**
 * A layer that takes the place of the final norm's weight and bias where patches are concerned: x -> W xhat + b, xhat the parameter-free norm of x. A file that
 * holds one (a folded RASA) is the model with it, so that it is loaded with it.
 */
import { VitError } from './errors';
import { tensorsOf, type WeightFile } from './weights';

/** A linear map, `weight` [D, D] (rows: output) and `bias` [D], in place of weight and bias of the final norm where patches are concerned. */
export interface FinalLayer {
  readonly weight: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
}

/** Names of a final layer beside the official ones in a file of weights. */
export const FINAL_LAYER = { weight: 'rasa.weight', bias: 'rasa.bias' } as const;

/** The final layer that a file holds beside the model. @throws VitError `weights` where it holds half of one */
export async function finalLayerOf(file: WeightFile): Promise<FinalLayer | undefined> {
  const { own } = tensorsOf(file);
  const [weight, bias] = [own.get(FINAL_LAYER.weight), own.get(FINAL_LAYER.bias)];
  if (!weight && !bias) return undefined;
  if (!weight || !bias)
    throw new VitError('weights', `of the final layer ${Object.values(FINAL_LAYER).join(' and ')} one is missing`);
  return { weight: await file.readFloat32(weight.stored), bias: await file.readFloat32(bias.stored) };
}
