/** Sizes and options of a vision transformer, with the names and defaults of the official configuration. */
import { VitError } from './errors';

export interface VitConfig {
  readonly embedDim: number;
  readonly depth: number;
  readonly numHeads: number;
  /** Side of the images the position table is made for, in pixels. */
  readonly imgSize: number;
  readonly patchSize: number;
  /** Width of the feed-forward layer over `embedDim`; SwiGLU takes two thirds of it, rounded up to a multiple of 8. */
  readonly mlpRatio: number;
  readonly ffnLayer: 'mlp' | 'swiglu';
  readonly numRegisterTokens: number;
  /** Initial LayerScale; undefined leaves LayerScale out. */
  readonly layerScale: number | undefined;
  /** Added to the target grid when the position table is resampled: 0.1 as in the official code, 0 for the plain ratio. */
  readonly interpolateOffset: number;
  readonly interpolateAntialias: boolean;
  /** Of the feed-forward layer `mlp`; default `gelu`, by the error function. `quick_gelu`: x sigmoid(1.702 x), as OpenAI's CLIP. */
  readonly activation?: 'gelu' | 'gelu_tanh' | 'quick_gelu';
  /** Added to variances by all norms; default 1e-6. */
  readonly normEps?: number;
  /** A norm between embedding and first block, as in CLIP; default false. */
  readonly preNorm?: boolean;
  /** False: there is no CLS, and attention over the patches gives what stands for it, as in SigLIP; default true. */
  readonly classToken?: boolean;
  /** Rotary positions in place of the learned table, as in DINOv3: the base of their periods; default none. */
  readonly ropeTheta?: number;
}

export type VitSize = 'tiny' | 'small' | 'base' | 'large' | 'giant2';

const WIDTHS: Readonly<Record<VitSize, Pick<VitConfig, 'embedDim' | 'depth' | 'numHeads'>>> = {
  tiny: { embedDim: 192, depth: 12, numHeads: 3 },
  small: { embedDim: 384, depth: 12, numHeads: 6 },
  base: { embedDim: 768, depth: 12, numHeads: 12 },
  large: { embedDim: 1024, depth: 24, numHeads: 16 },
  giant2: { embedDim: 1536, depth: 40, numHeads: 24 },
};

/** Attention heads of the published models of a width; undefined for other widths, whose heads nothing tells. */
export const usualHeads = (embedDim: number): number | undefined =>
  Object.values(WIDTHS).find((named) => named.embedDim === embedDim)?.numHeads;

/** Numbers of heads that a width divides into, for heads of 8 and more. */
export const headsThatFit = (embedDim: number): number[] =>
  Array.from({ length: Math.max(1, Math.floor(embedDim / 8)) }, (_, i) => i + 1).filter((n) => embedDim % n === 0);

/** What all sizes have in common, as Franca trains them. */
const FRANCA: Omit<VitConfig, 'embedDim' | 'depth' | 'numHeads'> = {
  imgSize: 224,
  patchSize: 14,
  mlpRatio: 4,
  ffnLayer: 'swiglu',
  numRegisterTokens: 0,
  layerScale: 1e-5,
  interpolateOffset: 0.1,
  interpolateAntialias: false,
};

/** What only models of other families say. */
const OF_OTHERS: readonly (keyof VitConfig)[] = ['activation', 'normEps', 'preNorm', 'classToken', 'ropeTheta'];

/**
 * A named size with Franca's options (patch 14, 224 px, SwiGLU, LayerScale 1e-5, no registers); `overrides` win.
 * @throws VitError `config` for a size or an option that does not exist
 */
export function vitConfig(size: VitSize, overrides: Partial<VitConfig> = {}): VitConfig {
  if (!Object.hasOwn(WIDTHS, size))
    throw new VitError('config', `there is no size "${size}"; the sizes are ${Object.keys(WIDTHS).join(', ')}`);
  checkConfigKeys(overrides, 'vitConfig');
  return { ...WIDTHS[size], ...FRANCA, ...overrides };
}

/** Whether no value is left to be said: what other families say besides is, where it is left out, as in Franca. */
export const isWhole = (given: Partial<VitConfig>): given is VitConfig =>
  Object.keys({ ...WIDTHS.base, ...FRANCA }).every((key) => Object.hasOwn(given, key));

/** @throws VitError `config` for keys that no configuration has, such as misspelt ones; `what` names who was given them */
export function checkConfigKeys(given: object, what: string): void {
  const keys = [...Object.keys({ ...WIDTHS.base, ...FRANCA }), ...OF_OTHERS];
  const odd = Object.keys(given).find((key) => !keys.includes(key));
  if (odd !== undefined) throw new VitError('config', `${what} has no "${odd}"; it has ${keys.join(', ')}`);
}
