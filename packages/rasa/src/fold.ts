/**
 * Folding. The removal acts on patch tokens after the final norm, so it cannot go into the layers before it: they would change the statistics of the norm. It
 * can go, exactly, into what follows: into one dense map after the parameter-free normalisation (norm and removal become one linear layer on xhat), or into
 * the first linear layer of the consumer. CLS is not touched by RASA and must keep the plain norm.
 */
import { RasaError } from './errors';

/** A linear layer y = x W^T + b: weight [out, in], bias [out]. */
export interface LinearMap {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** For norm(x) = gamma xhat + beta followed by z' = z L: the layer that maps xhat to z'. `L` [D, D] as from `projectionMatrix`. */
export function foldAfterNorm(L: Float64Array, gamma: ArrayLike<number>, beta: ArrayLike<number>): LinearMap {
  const D = gamma.length;
  if (L.length !== D * D || beta.length !== D)
    throw new RasaError('shape', `a map of ${L.length} elements does not fit a norm of width ${D}`);
  const weight = new Float32Array(D * D);
  const bias = new Float32Array(D);
  for (let out = 0; out < D; out++) {
    let b = 0;
    for (let i = 0; i < D; i++) {
      weight[out * D + i] = gamma[i]! * L[i * D + out]!;
      b += beta[i]! * L[i * D + out]!;
    }
    bias[out] = b;
  }
  return { weight, bias };
}

/** For a consumer y = z W^T + b of the projected tokens: the weight [out, D] that gives the same y from unprojected ones. */
export function foldIntoConsumer(L: Float64Array, weight: ArrayLike<number>, D: number): Float32Array {
  const outputs = weight.length / D;
  if (L.length !== D * D || !Number.isInteger(outputs))
    throw new RasaError('shape', `a weight of ${weight.length} elements does not take features of width ${D}`);
  const folded = new Float32Array(outputs * D);
  for (let out = 0; out < outputs; out++) {
    for (let i = 0; i < D; i++) {
      let sum = 0;
      for (let j = 0; j < D; j++) sum += L[i * D + j]! * weight[out * D + j]!;
      folded[out * D + i] = sum;
    }
  }
  return folded;
}
