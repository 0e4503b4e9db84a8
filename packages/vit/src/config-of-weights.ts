/**
 * The configuration of a checkpoint: what names and shapes say, what is known besides, and what had to be assumed.
 *
 * Shapes tell width, depth, patch size, grid, feed-forward layer, registers and LayerScale. They tell neither the attention heads, whose number does not
 * change any shape, nor how the position table is resampled. Tensors that would make the model compute something else are refused: what this model gives
 * for a checkpoint is what the checkpoint's own code gives, or it is not loaded.
 */
import { swigluHidden } from '@franca/nn';
import type { Shape } from '@franca/tensor';
import { checkConfigKeys, headsThatFit, isWhole, usualHeads, type VitConfig, vitConfig } from './config';
import { VitError } from './errors';
import { FINAL_LAYER } from './final-layer';
import { belongsTo, type FamilyTraits, requireSaid, traitsOf } from './other-families';
import { vitSpecs } from './specs';
import { type AssumedKey, CONFIG_KEY, decodeVitConfig, type StoredVitConfig } from './stored-config';
import { type NamedTensor, tensorsOf, type WeightTable } from './weights';

export interface ConfigOfWeights {
  readonly config: VitConfig;
  /** Values that neither the tensors nor what is known of them say: those of the published models of that width. */
  readonly assumed: readonly AssumedKey[];
  /** Tensors that a model loaded from them does not use, such as those of a classifier, by their names in the file. */
  readonly unused: readonly string[];
}

/** What shapes and names tell. */
interface Sizes extends Omit<VitConfig, AssumedKey | 'activation' | 'normEps'>, FamilyTraits {
  readonly layerScale: number | undefined;
}

/**
 * The configuration of the ViT in a file: what `known` says comes first, then what the file's own metadata say (`CONFIG_KEY`), both of which must agree with
 * the shapes; `source` names in messages where the former is from.
 *
 * Heads that are not known are those of the published models of that width. Positions are resampled as DINOv2 does: antialiased and without offset where
 * there are registers, else with an offset of 0.1 and not antialiased. Activation and eps are those of DINOv2 unless said; weights of families that differ in them
 * are refused until they are said.
 * @throws VitError `weights` if the tensors are not those of one ViT; `heads` if the width is that of no published model, or does not divide into the known
 * heads; `config` if what is known contradicts the tensors, or the configuration in the metadata is broken
 */
export function configOf(
  file: WeightTable,
  known: Partial<VitConfig> = {},
  source = 'the given configuration',
): ConfigOfWeights {
  checkConfigKeys(known, source);
  const { own, outside } = tensorsOf(file);
  const stored = storedIn(file);
  const said: Partial<VitConfig> = { ...stored?.config, ...known };
  const traits = traitsOf(own, said);
  const others = [...own].filter(([name]) => !isOwn(name, traits));
  for (const [name] of others) refuseOtherModel(name);
  requireSaid(traits, known, stored !== undefined);
  const sizes = sizesOf(own, traits, said.imgSize);
  refuseContradiction(sizes, known, source);
  if (stored) refuseContradiction(sizes, { ...stored.config, ...known }, `the metadata "${CONFIG_KEY}"`);
  const registers = sizes.numRegisterTokens > 0;
  const rest: Pick<VitConfig, AssumedKey> = {
    numHeads: headsFor(sizes.embedDim, traits.numHeads ?? said.numHeads),
    layerScale: sizes.layerScale && (said.layerScale ?? sizes.layerScale),
    interpolateOffset: said.interpolateOffset ?? (registers ? 0 : 0.1),
    interpolateAntialias: said.interpolateAntialias ?? registers,
  };
  const config = vitConfig('base', {
    ...sizes,
    ...rest,
    mlpRatio: said.mlpRatio ?? sizes.mlpRatio,
    ...(said.activation && { activation: said.activation }),
    ...(said.normEps !== undefined && { normEps: said.normEps }),
  });
  const misfits = checkTensors(own, config);
  const matters = (key: AssumedKey) => !(traits.ropeTheta !== undefined && key.startsWith('interpolate'));
  const guessed = (key: AssumedKey) =>
    matters(key) &&
    known[key] === undefined &&
    !(key === 'numHeads' && traits.numHeads) &&
    (stored ? stored.assumed.includes(key) : rest[key] !== undefined);
  const folded = Object.values(FINAL_LAYER).every((name) => own.has(name)) ? Object.values<string>(FINAL_LAYER) : [];
  const left = others.filter(([name]) => !folded.includes(name)).map(([, { stored: name }]) => name);
  return {
    config,
    assumed: (Object.keys(rest) as AssumedKey[]).filter(guessed),
    unused: [...left, ...misfits, ...outside],
  };
}

/** The configuration in the metadata. @throws VitError `config` where it is broken */
export function storedIn({ metadata }: WeightTable): StoredVitConfig | undefined {
  const text = metadata?.[CONFIG_KEY];
  if (text === undefined) return undefined;
  try {
    return decodeVitConfig(text);
  } catch (error) {
    if (!(error instanceof VitError)) throw error;
    const what = `the metadata "${CONFIG_KEY}" is broken: ${error.message}; write it again, or take it away`;
    throw new VitError('config', what, { cause: error });
  }
}

/** Tensors of this model. */
const OWN =
  /^(cls_token|pos_embed|mask_token|register_tokens|(patch_embed\.proj|norm)\.(weight|bias)|blocks\.\d+\.((norm1|norm2|attn\.qkv|attn\.proj|mlp\.(fc1|fc2|w12|w3))\.(weight|bias)|ls[12]\.gamma))$/;

const isOwn = (name: string, traits: FamilyTraits): boolean => OWN.test(name) || belongsTo(name, traits);

/** Tensors without which a model computes something else than it was trained to, and what they are. */
const OTHER_MODELS: readonly (readonly [RegExp, string])[] = [
  [/^(norm_pre|ln_pre|pre_norm)\b/, 'a norm before the blocks under another name'],
  [/^cls_norm\b/, 'a norm of its own for CLS'],
  [/^fc_norm\b/, 'a norm of the mean over patches in place of the final norm'],
  [/^dist_token\b/, 'a distillation token, as in DeiT'],
  [/^(reg_token|storage_tokens)\b/, 'registers under a name and with positions of their own'],
  [/(^|\.|_)(rope|freqs|periods)/, 'rotary positions'],
  [/rel_pos|relative_position/, 'relative positions'],
  [/\.(q_norm|k_norm)\b/, 'norms of queries and keys'],
  [/\.gamma_[12]$/, 'LayerScale under another name, as in BEiT'],
  [/lora_|adapter/, 'an adapter that is not merged into the weights'],
  [/^(pos_embed|cls_token|register_tokens|patch_embed|norm)[._]/, 'another embedding of patches or positions'],
  [/^attn_pool\b/, 'attention that pools the patches'],
  [/^blocks\./, 'a layer that blocks of this model do not have'],
];

function refuseOtherModel(name: string): void {
  const other = OTHER_MODELS.find(([pattern]) => pattern.test(name));
  if (!other) return;
  throw new VitError(
    'weights',
    `the tensor "${name}" belongs to another architecture (${other[1]}); leaving it out would give other features than the model's, so these weights are not loaded`,
  );
}

/** @throws VitError `weights` */
function sizesOf(flat: ReadonlyMap<string, NamedTensor>, traits: FamilyTraits, imgSize = 0): Sizes {
  const need = (name: string): Shape => flat.get(name)?.shape ?? missing(name, flat);
  const patches = need('patch_embed.proj.weight');
  const [embedDim, channels, patchSize, width] = patches as [number, number, number, number];
  if (patches.length !== 4 || channels !== 3 || patchSize !== width)
    throw new VitError(
      'weights',
      `patch_embed.proj.weight has shape [${patches.join(', ')}]; square patches of three channels are expected, [D, 3, P, P]`,
    );
  const depth = 1 + Math.max(-1, ...[...flat.keys()].map((name) => Number(name.match(/^blocks\.(\d+)\./)?.[1] ?? -1)));
  if (depth === 0) throw new VitError('weights', 'there are no blocks');
  return {
    embedDim,
    depth,
    patchSize,
    imgSize: traits.ropeTheta === undefined ? tableSide(need('pos_embed'), traits) * patchSize : imgSize,
    ...feedForward(embedDim, need, flat.has('blocks.0.mlp.w12.weight')),
    numRegisterTokens: flat.get('register_tokens')?.shape[1] ?? 0,
    layerScale: flat.has('blocks.0.ls1.gamma') ? 1e-5 : undefined,
    ...traits,
  };
}

/** Patches along a side of the square that a position table is made for. */
function tableSide([, positions = 0]: Shape, { classToken = true }: FamilyTraits): number {
  const side = Math.sqrt(positions - (classToken ? 1 : 0));
  if (Number.isInteger(side) && side > 0) return side;
  const what = classToken
    ? 'one less is not a square number, so it is not one for the class and a square of patches'
    : 'that is not a square number, so it is not a square of patches';
  throw new VitError('weights', `pos_embed has ${positions} positions; ${what}`);
}

function feedForward(D: number, need: (name: string) => Shape, swiglu: boolean): Pick<Sizes, 'mlpRatio' | 'ffnLayer'> {
  if (swiglu) {
    const half = need('blocks.0.mlp.w12.weight')[0]! / 2;
    return { ffnLayer: 'swiglu', mlpRatio: swigluHidden(D) === half ? 4 : (half * 1.5) / D };
  }
  const hidden = need('blocks.0.mlp.fc1.weight')[0]!;
  const back = need('blocks.0.mlp.fc2.weight')[1]!;
  if (back * 2 === hidden)
    throw new VitError(
      'weights',
      `mlp.fc1 gives ${hidden} values and mlp.fc2 takes ${back}: this is a gated layer under timm's names; the official checkpoint, with mlp.w12 and mlp.w3, can be loaded`,
    );
  return { ffnLayer: 'mlp', mlpRatio: hidden / D };
}

const hiddenWidth = (D: number, { ffnLayer, mlpRatio }: Pick<Sizes, 'mlpRatio' | 'ffnLayer'>): number =>
  ffnLayer === 'swiglu' ? swigluHidden(D, mlpRatio) : Math.trunc(D * mlpRatio);

/** Of a whole configuration that leaves these out. */
const PLAIN = { preNorm: false, classToken: true, ropeTheta: undefined } as const;

const positionsIn = ({ ropeTheta }: { readonly ropeTheta?: number | undefined }): string =>
  ropeTheta === undefined ? 'a table' : 'rotary';

/** @throws VitError `config` naming both values */
function refuseContradiction(sizes: Sizes, known: Partial<VitConfig>, source: string): void {
  const given = { ...sizes, ...(isWhole(known) && PLAIN), ...known };
  const scaled = (layerScale: number | undefined) => (layerScale === undefined ? 'absent' : 'present');
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['embedDim', given.embedDim, sizes.embedDim],
    ['depth', given.depth, sizes.depth],
    ['patchSize', given.patchSize, sizes.patchSize],
    ['imgSize', given.imgSize, sizes.imgSize],
    ['ffnLayer', given.ffnLayer, sizes.ffnLayer],
    ['hidden width', hiddenWidth(sizes.embedDim, given), hiddenWidth(sizes.embedDim, sizes)],
    ['numRegisterTokens', given.numRegisterTokens, sizes.numRegisterTokens],
    ['layerScale', scaled(given.layerScale), scaled(sizes.layerScale)],
    ['preNorm', given.preNorm ?? false, sizes.preNorm ?? false],
    ['classToken', given.classToken ?? true, sizes.classToken ?? true],
    ['positions', positionsIn(given), positionsIn(sizes)],
    ['numHeads', given.numHeads, sizes.numHeads ?? given.numHeads],
  ];
  const wrong = pairs.filter(([, said, found]) => said !== found);
  if (wrong.length === 0) return;
  const list = wrong.map(([name, said, found]) => `${name} is ${said} there and ${found} in the tensors`);
  throw new VitError('config', `${source} is of another model: ${list.join(', ')}`);
}

/** @throws VitError `heads` */
function headsFor(embedDim: number, known: number | undefined): number {
  const heads = known ?? usualHeads(embedDim);
  const fitting = `${headsThatFit(embedDim).join(', ')} divide that width`;
  if (heads === undefined)
    throw new VitError(
      'heads',
      `shapes do not tell the attention heads, and at width ${embedDim} no number of them is usual; ${fitting}`,
    );
  if (!Number.isInteger(heads) || heads < 1 || embedDim % heads !== 0)
    throw new VitError('heads', `weights of width ${embedDim} cannot have ${heads} heads; ${fitting}`);
  return heads;
}

/**
 * Compares every tensor with the model's. @returns tensors that do not fit and are not used
 * @throws VitError `weights` naming the first that is absent or has another shape
 */
function checkTensors(flat: ReadonlyMap<string, NamedTensor>, config: VitConfig): string[] {
  const squeezed = (shape: Shape): string => shape.filter((extent) => extent !== 1).join(', ');
  const specs = vitSpecs(config);
  const odd = [...flat.keys()].find((name) => OWN.test(name) && !(name in specs));
  if (odd)
    throw new VitError('weights', `the tensor "${odd}" has no place beside the others; blocks must be all alike`);
  const misfits: string[] = [];
  for (const [name, { shape }] of Object.entries(specs)) {
    const found = flat.get(name);
    if (!found && name === 'patch_embed.proj.bias' && config.preNorm) continue;
    // only pretraining reads it; that of a masked autoencoder is as wide as its decoder
    if (name === 'mask_token') {
      if (found && squeezed(found.shape) !== squeezed(shape)) misfits.push(found.stored);
    } else if (!found) missing(name, flat);
    else if (squeezed(found.shape) !== squeezed(shape))
      throw new VitError(
        'weights',
        `"${name}" has shape [${found.shape.join(', ')}], the model needs [${shape.join(', ')}]`,
      );
  }
  return misfits;
}

/** The patch embedding under the names of the transformers library. */
const HUGGING_FACE = /(^|\.)embeddings\.(patch_embeddings(\.projection)?|patch_embedding)\.weight$/;

function missing(name: string, flat: ReadonlyMap<string, NamedTensor>): never {
  const names = [...flat.keys()];
  const foreign = names.some((own) => HUGGING_FACE.test(own));
  const rotary = name === 'pos_embed' ? '; one with rotary positions has none: say their base with ropeTheta' : '';
  if (!foreign && names.some((own) => OWN.test(own)))
    throw new VitError('weights', `no tensor "${name}"; this model does not work without it${rotary}`);
  const advice = foreign
    ? 'these are names of Hugging Face, whose meaning stands in the config.json of the same folder: translateHuggingFace(file, config) makes a file of both'
    : 'the names of DINOv2 and timm are known, with anything before them';
  const found = names.length === 0 ? 'no tensors at all' : `${names.slice(0, 5).join(', ')}, ...`;
  throw new VitError('weights', `no tensor "${name}"; there are ${found}; ${advice}`);
}
