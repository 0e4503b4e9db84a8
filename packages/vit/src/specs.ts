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
import { checkConfig } from './check-config';
import type { VitConfig } from './config';

/**
 * Parameters of a vision transformer. Without a class token there are those of the attention that pools the patches, as timm names them; with rotary
 * positions there is no table of them.
 * @param initStd standard deviation of the initial linear layers; officially 0.02, which is small for narrow tokens: a layer
 *   passes a D-wide input on at its size with 1 / sqrt(D)
 * @throws VitError `config` for sizes and options that do not go together
 */
export function vitSpecs(config: VitConfig, initStd = 0.02): ParameterSpecs {
  checkConfig(config);
  const { embedDim: D, depth, imgSize, patchSize, numRegisterTokens, classToken = true } = config;
  const positions = (classToken ? 1 : 0) + (imgSize / patchSize) ** 2;
  // PyTorch's default for a convolution, which the official initialisation leaves alone
  const bound = 1 / Math.sqrt(3 * patchSize * patchSize);
  const blocks = Array.from({ length: depth }, (_, i) => prefixed(`blocks.${i}`, blockSpecs(config, initStd)));
  return {
    ...(classToken ? { cls_token: parameter([1, 1, D], normal(1e-6)) } : {}),
    ...(config.ropeTheta === undefined ? { pos_embed: parameter([1, positions, D], normal(0.02)) } : {}),
    ...(numRegisterTokens > 0 ? { register_tokens: parameter([1, numRegisterTokens, D], normal(1e-6)) } : {}),
    mask_token: parameter([1, D], ZEROS),
    'patch_embed.proj.weight': parameter([D, 3, patchSize, patchSize], uniform(bound)),
    'patch_embed.proj.bias': parameter([D], uniform(bound)),
    ...(config.preNorm ? prefixed('norm_pre', layerNormSpecs(D)) : {}),
    ...Object.assign({}, ...blocks),
    ...prefixed('norm', layerNormSpecs(D)),
    ...(classToken ? {} : prefixed('attn_pool', attentionPoolSpecs(config, initStd))),
  };
}

/** Parameters of the attention that pools patches: one query of its own, `latent`, and what follows it. */
function attentionPoolSpecs({ embedDim: D, mlpRatio }: VitConfig, std: number): ParameterSpecs {
  return {
    latent: parameter([1, 1, D], normal(1 / Math.sqrt(D))),
    ...prefixed('q', linearSpecs(D, D, { std })),
    ...prefixed('kv', linearSpecs(D, 2 * D, { std })),
    ...prefixed('proj', linearSpecs(D, D, { std })),
    ...prefixed('norm', layerNormSpecs(D)),
    ...prefixed('mlp', mlpSpecs(D, Math.trunc(D * mlpRatio), { std })),
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
