/**
 * What is optimised and what is shown. The official code optimises dino + koleo weight (koleo of view 1 + koleo of view 2) + ibot, but its logs
 * (and so every published curve) show KoLeo and iBOT at half of what enters, and a total of what is shown.
 */
import { add, mul, optionProblem, type Tensor } from '@franca/tensor';
import type { DinoLoss } from './dino';
import { LossError } from './errors';

export interface LossTerms {
  readonly dino: DinoLoss;
  /** KoLeo of each global view, unweighted. */
  readonly koleo: readonly [Tensor, Tensor];
  readonly ibot: Tensor;
}

export interface LossWeights {
  readonly dino: number;
  readonly koleo: number;
  readonly ibot: number;
}

/** Official weights. */
export const OFFICIAL_WEIGHTS: LossWeights = { dino: 1, koleo: 0.1, ibot: 1 };

// biome-ignore lint/style/useConsistentTypeDefinitions: only a type, not an interface, is assignable to a tree with any keys
export type TotalLoss = {
  /** What is optimised. */
  readonly optimised: Tensor;
  /** What the official logs show, under their names: KoLeo weighted and halved, iBOT halved, the rest as it is. */
  readonly logged: {
    readonly dino_local_crops_loss: Tensor;
    readonly dino_global_crops_loss: Tensor;
    readonly koleo_loss: Tensor;
    readonly ibot_loss: Tensor;
    readonly total_loss: Tensor;
  };
};

const WEIGHTS: Record<keyof LossWeights, true> = { dino: true, koleo: true, ibot: true };

/** Weighs and adds the terms; weights that are left out are the official ones. Throws `LossError` (`options`) for a weight that there is not. */
export function totalLoss({ dino, koleo, ibot }: LossTerms, weights: Partial<LossWeights> = {}): TotalLoss {
  const problem = optionProblem(weights, WEIGHTS);
  if (problem) throw new LossError('options', `totalLoss: ${problem}`);
  const weight = { ...OFFICIAL_WEIGHTS, ...weights };
  const crops = add(dino.local, dino.global);
  const apart = mul(add(...koleo), weight.koleo);
  const [koleoShown, ibotShown] = [mul(apart, 0.5), mul(ibot, 0.5)];
  return {
    optimised: add(add(mul(crops, weight.dino), apart), mul(ibot, weight.ibot)),
    logged: {
      dino_local_crops_loss: dino.local,
      dino_global_crops_loss: dino.global,
      koleo_loss: koleoShown,
      ibot_loss: ibotShown,
      total_loss: add(crops, add(koleoShown, ibotShown)),
    },
  };
}
