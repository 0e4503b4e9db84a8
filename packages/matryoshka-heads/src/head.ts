/**
 * The nested projection heads of Franca (section 3.2, after Matryoshka representations, Kusupati et al. 2022). Level i compares the first d_i components of a token
 * with prototypes of its own, so that every prefix of the embedding must be a good embedding:
 *
 *   z0 = x[:, :d_i]          z1 = P_i z0 + p_i          z = gelu(A3 gelu(A2 gelu(A1 z1)))          logits = z . (g_k v_k / ||v_k||)
 *
 * Levels share nothing but the token. The bottleneck z is not normalised and is followed by a GELU, unlike in DINOv2, whose plain head is
 * z = A3 gelu(A2 gelu(A1 x)), z <- z / ||z||. A head returns features and prototypes, not logits: of those there may be too many to hold (see `prototypeLogits`).
 */
import { linear, type Parameters, type Prototypes, prototypesOf, within } from '@franca/nn';
import { gelu, l2Normalise, sliceAxis, type Tensor } from '@franca/tensor';
import { checkConfig, embedDimOf, type HeadConfig } from './config';
import { HeadError } from './errors';
import { hasProjection, levelNames } from './specs';

export interface HeadOutput {
  /** Bottleneck features [R, b]. */
  readonly features: Tensor;
  readonly prototypes: Prototypes;
}

/** Tokens [R, D] through all levels, coarse to fine. The features have the type of the tokens. Throws `HeadError`. */
export function projectionHead(p: Parameters, tokens: Tensor, config: HeadConfig): HeadOutput[] {
  checkConfig(config);
  return config.levels.map((_, i) => ({
    features: levelFeatures(p, tokens, config, i),
    prototypes: prototypesOf(within(p, levelNames(config.kind, i).prototypes)),
  }));
}

/** Bottleneck features [R, b] of tokens [R, D] at level i, without its prototypes. Throws `HeadError`. */
export function levelFeatures(p: Parameters, tokens: Tensor, config: HeadConfig, i: number): Tensor {
  checkConfig(config);
  const D = embedDimOf(config);
  if (tokens.shape.length !== 2 || tokens.shape[1] !== D)
    throw new HeadError('config', `tokens of shape [${tokens.shape.join(', ')}]: the head takes [rows, ${D}]`);
  if (!(i in config.levels)) throw new HeadError('config', `level ${i}: the head has ${config.levels.length}, from 0`);
  const { kind, nesting, layers, bottleneck = kind === 'dino' ? 'l2' : 'gelu' } = config;
  const names = levelNames(kind, i);
  let z = nesting === 'slice' ? sliceAxis(tokens, 1, 0, config.levels[i]!.width) : tokens;
  if (hasProjection(config)) z = linear(within(p, names.projection), z);
  for (let layer = 0; layer < layers; layer++) {
    z = linear(within(p, `${names.mlp}.${2 * layer}`), z);
    if (layer < layers - 1 || bottleneck === 'gelu') z = gelu(z);
  }
  return bottleneck === 'l2' ? l2Normalise(z) : z;
}
