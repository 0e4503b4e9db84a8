/** Named weights of a checkpoint: where values come from, and what names and shapes say about the model. */
import { swigluHidden } from '@franca/nn';
import type { Shape } from '@franca/tensor';
import { type VitConfig, vitConfig } from './config';
import { VitError } from './errors';

/** Named tensors of a checkpoint: official or timm names, blocks chunked (`blocks.0.3.`) or flat (`blocks.3.`). */
export type WeightShapes = Readonly<Record<string, Shape>>;

/** Values of a weight, by official name; asked for one at a time so that a checkpoint need not be in memory whole. */
export type WeightSource = (name: string) => ArrayLike<number> | undefined | Promise<ArrayLike<number> | undefined>;

/** `blocks.<chunk>.<index>.` as `blocks.<index>.`: the index is global, so that the chunk says nothing. */
const flatBlockName = (name: string): string => name.replace(/^blocks\.\d+\.(\d+)\./, 'blocks.$1.');

/** A weight source over tensors in memory, whose block names may be chunked. */
export function weightsFrom(tensors: Readonly<Record<string, ArrayLike<number>>>): WeightSource {
  const flat = new Map(Object.entries(tensors).map(([name, values]) => [flatBlockName(name), values]));
  return (name) => flat.get(name);
}

/**
 * The configuration of a checkpoint. Heads cannot be read off shapes: they are taken as 64 wide, as in every published size, unless `overrides` says
 * otherwise; so are the options of position resampling. Throws `VitError` with code `weights` if the names are not a ViT's.
 */
export function configOfWeights(shapes: WeightShapes, overrides: Partial<VitConfig> = {}): VitConfig {
  const flat = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [flatBlockName(name), shape]));
  const need = (name: string): Shape => flat[name] ?? missing(name, flat);
  const [embedDim, , patchSize] = need('patch_embed.proj.weight') as [number, number, number];
  const side = Math.sqrt(need('pos_embed')[1]! - 1);
  if (!Number.isInteger(side))
    throw new VitError('weights', `pos_embed has ${need('pos_embed')[1]} positions; one less is not a square number`);
  const depth = 1 + Math.max(-1, ...Object.keys(flat).map((name) => Number(name.match(/^blocks\.(\d+)\./)?.[1] ?? -1)));
  if (depth === 0) throw new VitError('weights', 'there are no blocks');
  const swiglu = flat['blocks.0.mlp.w12.weight'];
  const hidden = swiglu ? (swiglu[0]! / 2) * 1.5 : need('blocks.0.mlp.fc1.weight')[0]!;
  return vitConfig('base', {
    embedDim,
    depth,
    numHeads: Math.max(1, Math.round(embedDim / 64)),
    patchSize,
    imgSize: side * patchSize,
    mlpRatio: swiglu && swigluHidden(embedDim) === swiglu[0]! / 2 ? 4 : hidden / embedDim,
    ffnLayer: swiglu ? 'swiglu' : 'mlp',
    numRegisterTokens: flat.register_tokens?.[1] ?? 0,
    layerScale: flat['blocks.0.ls1.gamma'] ? 1e-5 : undefined,
    ...overrides,
  });
}

function missing(name: string, flat: WeightShapes): never {
  throw new VitError(
    'weights',
    `no tensor "${name}"; there are ${Object.keys(flat).slice(0, 5).join(', ')}, ... Strip prefixes such as "teacher.backbone." first`,
  );
}
