/**
 * Fields of a config.json, each checked for what it may be: a file from anywhere may say anything. A message names field and value. Fields that matter for training
 * alone (dropout, initialisation) are not read.
 */
import { swigluHidden } from '@franca/nn';
import type { VitConfig } from '../config';
import { VitError } from '../errors';

/** The fields of a model's configuration, with defaults for those that the file leaves out. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws VitError `config` */
export function refuse(fields: Fields, name: string, expected: string): never {
  throw new VitError('config', `${said(fields, name)} in config.json; ${expected}`);
}

/** Field and value, for messages. */
export const said = (fields: Fields, name: string): string =>
  `${name} is ${JSON.stringify(fields[name])?.slice(0, 80) ?? 'absent'}`;

export function count(fields: Fields, name: string, least = 1): number {
  const value = fields[name];
  if (Number.isSafeInteger(value) && Number(value) >= least) return Number(value);
  return refuse(fields, name, `expected a whole number of at least ${least}`);
}

export function positive(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  return refuse(fields, name, 'expected a number above 0');
}

export function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  return typeof value === 'boolean' ? value : refuse(fields, name, 'expected true or false');
}

/** The side of a square, written as one number or as two that are the same. */
function side(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Array.isArray(value)) return count(fields, name);
  if (value.length !== 2 || value[0] !== value[1]) refuse(fields, name, 'only squares can be loaded');
  return count({ [name]: value[0] }, name);
}

const ACTIVATIONS: Readonly<Record<string, NonNullable<VitConfig['activation']>>> = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_new: 'gelu_tanh',
  quick_gelu: 'quick_gelu',
};

/** What the library calls ours. */
export const ACTIVATION_NAMES: Readonly<Record<NonNullable<VitConfig['activation']>, string>> = {
  gelu: 'gelu',
  gelu_tanh: 'gelu_pytorch_tanh',
  quick_gelu: 'quick_gelu',
};

/** The activation of a plain feed-forward layer; nothing where it is that of Franca. */
export function activation(fields: Fields): Pick<VitConfig, 'activation'> {
  const value = fields.hidden_act;
  const own = typeof value === 'string' && Object.hasOwn(ACTIVATIONS, value) ? ACTIVATIONS[value] : undefined;
  if (!own) refuse(fields, 'hidden_act', `there are ${Object.keys(ACTIVATIONS).join(', ')}`);
  return own === 'gelu' ? {} : { activation: own };
}

/** What all families say in fields of the same names; the position table is of whole patches. */
export function sizes(
  fields: Fields,
): Pick<VitConfig, 'embedDim' | 'depth' | 'numHeads' | 'patchSize' | 'imgSize' | 'normEps'> {
  const embedDim = count(fields, 'hidden_size');
  const numHeads = count(fields, 'num_attention_heads');
  if (embedDim % numHeads !== 0)
    refuse(fields, 'num_attention_heads', `it must divide hidden_size, which is ${embedDim}`);
  if (fields.head_dim !== undefined && fields.head_dim !== embedDim / numHeads)
    refuse(fields, 'head_dim', `expected ${embedDim / numHeads}, the width shared out among the heads`);
  const patchSize = side(fields, 'patch_size');
  const imgSize = Math.floor(side(fields, 'image_size') / patchSize) * patchSize;
  if (imgSize === 0) refuse(fields, 'image_size', `expected at least one patch of ${patchSize}`);
  const eps = positive(fields, 'layer_norm_eps');
  const depth = count(fields, 'num_hidden_layers');
  return { embedDim, depth, numHeads, patchSize, imgSize, ...(eps === 1e-6 ? {} : { normEps: eps }) };
}

/** A feed-forward layer whose hidden width is a field. */
export function feedForward(
  fields: Fields,
  ffnLayer: VitConfig['ffnLayer'] = 'mlp',
): Pick<VitConfig, 'mlpRatio' | 'ffnLayer'> {
  const D = count(fields, 'hidden_size');
  const hidden = count(fields, 'intermediate_size');
  const widthAt = (ratio: number) => (ffnLayer === 'swiglu' ? swigluHidden(D, ratio) : Math.trunc(D * ratio));
  const wanted = ffnLayer === 'swiglu' ? hidden * 1.5 : hidden;
  // a quotient may be rounded to just below
  const ratio = [wanted / D, (wanted + 0.25) / D].find((candidate) => widthAt(candidate) === hidden);
  if (ratio === undefined) refuse(fields, 'intermediate_size', 'a gated layer has a width that is a multiple of 8');
  return { ffnLayer, mlpRatio: ratio };
}

/** A transformer with a plain feed-forward layer, without registers and LayerScale, whose positions the library resamples to the target grid. */
export const plainVit = (fields: Fields): VitConfig => ({
  ...sizes(fields),
  ...feedForward(fields),
  numRegisterTokens: 0,
  layerScale: undefined,
  interpolateOffset: 0,
  interpolateAntialias: false,
  ...activation(fields),
});
