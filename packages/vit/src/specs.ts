/** The parameters of a vision transformer under their official names, with the official initialisation. */
import {
  layerNormSpecs,
  layerScaleSpecs,
  linearSpecs,
  mlpSpecs,
  normal,
  type ParameterSpecs,
  parameter,
  prefixed,
  swigluHidden,
  swigluSpecs,
  uniform,
  ZEROS,
} from '@franca/nn';
import type { VitConfig } from './config';
import { VitError } from './errors';

/**
 * Parameters of a vision transformer.
 * @param initStd standard deviation of the initial linear layers; officially 0.02, which is small for narrow tokens: a layer
 *   passes a D-wide input on at its size with 1 / sqrt(D)
 */
export function vitSpecs(config: VitConfig, initStd = 0.02): ParameterSpecs {
  const { embedDim: D, depth, imgSize, patchSize, numRegisterTokens, numHeads } = config;
  if (D % numHeads !== 0) throw new VitError('config', `embedDim ${D} does not divide into ${numHeads} heads`);
  if (imgSize % patchSize !== 0)
    throw new VitError('config', `imgSize ${imgSize} is no multiple of patchSize ${patchSize}`);
  const patches = (imgSize / patchSize) ** 2;
  // PyTorch's default for a convolution, which the official initialisation leaves alone
  const bound = 1 / Math.sqrt(3 * patchSize * patchSize);
  const blocks = Array.from({ length: depth }, (_, i) => prefixed(`blocks.${i}`, blockSpecs(config, initStd)));
  return {
    cls_token: parameter([1, 1, D], normal(1e-6)),
    pos_embed: parameter([1, 1 + patches, D], normal(0.02)),
    ...(numRegisterTokens > 0 ? { register_tokens: parameter([1, numRegisterTokens, D], normal(1e-6)) } : {}),
    mask_token: parameter([1, D], ZEROS),
    'patch_embed.proj.weight': parameter([D, 3, patchSize, patchSize], uniform(bound)),
    'patch_embed.proj.bias': parameter([D], uniform(bound)),
    ...Object.assign({}, ...blocks),
    ...prefixed('norm', layerNormSpecs(D)),
  };
}

/** Parameters of one block. */
export function blockSpecs(
  { embedDim: D, mlpRatio, ffnLayer, layerScale }: Pick<VitConfig, 'embedDim' | 'mlpRatio' | 'ffnLayer' | 'layerScale'>,
  initStd = 0.02,
): ParameterSpecs {
  const std = { std: initStd };
  const scale = (name: string) => (layerScale === undefined ? {} : prefixed(name, layerScaleSpecs(D, layerScale)));
  return {
    ...prefixed('norm1', layerNormSpecs(D)),
    ...prefixed('attn.qkv', linearSpecs(D, 3 * D, std)),
    ...prefixed('attn.proj', linearSpecs(D, D, std)),
    ...scale('ls1'),
    ...prefixed('norm2', layerNormSpecs(D)),
    ...prefixed(
      'mlp',
      ffnLayer === 'swiglu'
        ? swigluSpecs(D, swigluHidden(D, mlpRatio), std)
        : mlpSpecs(D, Math.trunc(D * mlpRatio), std),
    ),
    ...scale('ls2'),
  };
}
