/** What object discovery is run with: a method with its numbers, and the features of a block that it reads. */
import type { VitConfig } from '@franca/vit';
import { TrainError } from '../../errors';
import { type PerhapsAlone, refuseInner } from '../../features/output-alone';

export const METHODS = ['tokencut', 'lost', 'dino-seg'] as const;
export type Method = (typeof METHODS)[number];

export const FEATURES = ['query', 'key', 'value', 'output'] as const;
export type Feature = (typeof FEATURES)[number];

/** A block, from 0; undefined: the output of a model whose blocks are not known. */
export type Layer = number | undefined;

export interface TokenCutSetting {
  readonly method: 'tokencut';
  readonly feature: Feature;
  readonly layer: Layer;
  readonly tau: number;
  readonly eps: number;
  readonly weighted: boolean;
}

export interface LostSetting {
  readonly method: 'lost';
  readonly feature: Feature;
  readonly layer: Layer;
  readonly k: number;
  readonly normalise: boolean;
  readonly bias: number;
}

export interface DinoSegSetting {
  readonly method: 'dino-seg';
  readonly layer: number;
  readonly mass: number;
  readonly head: number;
}

export type Setting = TokenCutSetting | LostSetting | DinoSegSetting;

/** Options of `eval discover`; what is left out is the official value. */
export interface SettingOptions {
  readonly methods?: readonly Method[];
  readonly features?: readonly Feature[];
  readonly layer?: number;
  readonly tau?: number;
  readonly eps?: number;
  readonly neighbours?: number;
  readonly normalise?: boolean;
  readonly bias?: number;
  readonly weighted?: boolean;
  readonly head?: number;
}

/** LOST's own baseline reads head 4 of DINO ViT-S, which has six. */
const OFFICIAL_HEAD = 4;
const DEFAULT_FEATURES: readonly Feature[] = ['key', 'value', 'output'];

/**
 * Every method with every feature, in that order; DINO-seg once, since it reads attention.
 * @throws TrainError `usage` where the model has no such block or head
 */
export function settingsOf(
  options: SettingOptions,
  { depth, numHeads }: VitConfig,
  { outputAlone }: PerhapsAlone = {},
): Setting[] {
  const { methods = METHODS, features = DEFAULT_FEATURES } = options;
  const { layer: asked = -1, head = Math.min(OFFICIAL_HEAD, numHeads - 1) } = options;
  const layer = asked < 0 ? asked + depth : asked;
  if (layer < 0 || layer >= depth)
    throw new TrainError(
      'usage',
      `block ${asked} does not exist, the model has ${depth}; give --layer from 0 to ${depth - 1}`,
    );
  if (head >= numHeads)
    throw new TrainError(
      'usage',
      `head ${head} does not exist, the model has ${numHeads}; give --head from 0 to ${numHeads - 1}`,
    );
  const read = outputAlone ? undefined : layer;
  return methods.flatMap((method): Setting[] => {
    if (method === 'dino-seg') return [{ method, layer, mass: 0.6, head }];
    return features.map((feature) =>
      method === 'tokencut' ? tokenCutSetting(feature, read, options) : lostSetting(feature, read, options),
    );
  });
}

/** @throws TrainError `data` where more of a model is read than it gives */
export function refuseInside(
  weights: PerhapsAlone,
  { methods = METHODS, features = DEFAULT_FEATURES, sweep = false }: SettingOptions & { readonly sweep?: boolean },
): void {
  if (sweep || methods.includes('dino-seg') || features.some((feature) => feature !== 'output'))
    refuseInner(weights, 'queries, keys, values and attention', '--features output --methods tokencut,lost');
}

export const tokenCutSetting = (
  feature: Feature,
  layer: Layer,
  { tau = 0.2, eps = 1e-5, weighted = false }: SettingOptions,
): TokenCutSetting => ({ method: 'tokencut', feature, layer, tau, eps, weighted });

export const lostSetting = (
  feature: Feature,
  layer: Layer,
  { neighbours: k = 100, normalise = false, bias = 0 }: SettingOptions,
): LostSetting => ({ method: 'lost', feature, layer, k, normalise, bias });

const PLURAL: Readonly<Record<Feature, string>> = { query: 'queries', key: 'keys', value: 'values', output: 'output' };

/** A setting as records name it: what it reads and what of it is not as usual, `keys of block 11, bias 0.1`. */
export function variantOf(setting: Setting): string {
  const { layer } = setting;
  if (setting.method === 'dino-seg') return `attention of head ${setting.head} of block ${layer}`;
  const usual = setting.method === 'lost' ? lostSetting('key', layer, {}) : tokenCutSetting('key', layer, {});
  const unusual = Object.entries(setting).filter(
    ([name, value]) => name !== 'feature' && value !== Object.entries(usual).find(([known]) => known === name)?.[1],
  );
  const words = unusual.map(([name, value]) => (value === true ? (WORDS[name] ?? name) : `${name} ${value}`));
  const what = PLURAL[setting.feature];
  return [layer === undefined ? what : `${what} of block ${layer}`, ...words].join(', ');
}

const WORDS: Readonly<Record<string, string>> = { normalise: 'unit length' };

/** The same with its method, as tables name it. */
export const describeSetting = (setting: Setting): string => `${setting.method}, ${variantOf(setting)}`;
