/**
 * A configuration as JSON, under the names that official configurations use, to be kept with weights: in the metadata of a safetensors file and in a
 * `config.json` beside it. `model_type` tells it from the `config.json` of other programs.
 */
import type { VitConfig } from './config';
import { VitError } from './errors';

/** Key of a safetensors file's metadata that holds the configuration of the model in it. */
export const CONFIG_KEY = 'franca.vit';

/** What shapes do not tell. The value of `layerScale`, whose presence they tell, matters for initial weights alone. */
export type AssumedKey = 'numHeads' | 'layerScale' | 'interpolateOffset' | 'interpolateAntialias';

/** What is kept with weights: a configuration, and which of its values were assumed when it was written. */
export interface StoredVitConfig {
  readonly config: VitConfig;
  readonly assumed: readonly AssumedKey[];
}

const MODEL_TYPE = 'franca-vit';

const NAMES: Readonly<Record<keyof VitConfig, string>> = {
  embedDim: 'embed_dim',
  depth: 'depth',
  numHeads: 'num_heads',
  imgSize: 'img_size',
  patchSize: 'patch_size',
  mlpRatio: 'mlp_ratio',
  ffnLayer: 'ffn_layer',
  numRegisterTokens: 'num_register_tokens',
  layerScale: 'layer_scale',
  interpolateOffset: 'interpolate_offset',
  interpolateAntialias: 'interpolate_antialias',
  activation: 'activation',
  normEps: 'norm_eps',
  preNorm: 'pre_norm',
  classToken: 'class_token',
  ropeTheta: 'rope_theta',
};
/** Values that most configurations do without. */
const OPTIONAL: readonly string[] = ['activation', 'normEps', 'preNorm', 'classToken', 'ropeTheta'];
const ASSUMABLE: readonly AssumedKey[] = ['numHeads', 'layerScale', 'interpolateOffset', 'interpolateAntialias'];

/** As JSON; LayerScale that is left out is null, values of other families that are left out are not there. */
export function encodeVitConfig({ config, assumed }: StoredVitConfig): string {
  const said = Object.entries(NAMES).filter(
    ([key]) => !OPTIONAL.includes(key) || config[key as keyof VitConfig] !== undefined,
  );
  const values = said.map(([key, name]) => [name, config[key as keyof VitConfig] ?? null]);
  const names = assumed.map((key) => NAMES[key]);
  const all = { model_type: MODEL_TYPE, ...Object.fromEntries(values), ...(names.length > 0 && { assumed: names }) };
  return JSON.stringify(all, null, 2);
}

/**
 * What `encodeVitConfig` wrote; undefined for JSON of something else.
 * @throws VitError `config` where it is no JSON or broken, naming field and value
 */
export function decodeVitConfig(text: string): StoredVitConfig | undefined {
  const json = parse(text);
  if (json.model_type !== MODEL_TYPE) return undefined;
  const read = <T>(key: keyof VitConfig, fits: (value: unknown) => value is T, expected: string): T => {
    const value = json[NAMES[key]];
    if (fits(value)) return value;
    throw new VitError('config', `${NAMES[key]} is ${JSON.stringify(value) ?? 'absent'}; expected ${expected}`);
  };
  const optional = <T>(key: keyof VitConfig, fits: (value: unknown) => value is T, expected: string) =>
    json[NAMES[key]] === undefined ? {} : { [key]: read(key, fits, expected) };
  const count = (key: keyof VitConfig, least = 1): number =>
    read(
      key,
      (value): value is number => Number.isSafeInteger(value) && Number(value) >= least,
      `a whole number of at least ${least}`,
    );
  const config: VitConfig = {
    embedDim: count('embedDim'),
    depth: count('depth'),
    numHeads: count('numHeads'),
    imgSize: count('imgSize'),
    patchSize: count('patchSize'),
    mlpRatio: read('mlpRatio', isPositive, 'a number above 0'),
    ffnLayer: read('ffnLayer', (value) => value === 'mlp' || value === 'swiglu', '"mlp" or "swiglu"'),
    numRegisterTokens: count('numRegisterTokens', 0),
    layerScale: read('layerScale', (value) => value === null || isNumber(value), 'a number or null') ?? undefined,
    interpolateOffset: read('interpolateOffset', isOffset, 'a number from 0, below 1'),
    interpolateAntialias: read('interpolateAntialias', isFlag, 'true or false'),
    ...optional('activation', isActivation, '"gelu", "gelu_tanh" or "quick_gelu"'),
    ...optional('normEps', isPositive, 'a number above 0'),
    ...optional('preNorm', isFlag, 'true or false'),
    ...optional('classToken', isFlag, 'true or false'),
    ...optional('ropeTheta', isPositive, 'a number above 0'),
  };
  const names = Array.isArray(json.assumed) ? json.assumed : [];
  return { config, assumed: ASSUMABLE.filter((key) => names.includes(NAMES[key])) };
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isPositive = (value: unknown): value is number => isNumber(value) && value > 0;
const isFlag = (value: unknown): value is boolean => typeof value === 'boolean';
const isActivation = (value: unknown): value is NonNullable<VitConfig['activation']> =>
  value === 'gelu' || value === 'gelu_tanh' || value === 'quick_gelu';
const isOffset = (value: unknown): value is number => isNumber(value) && value >= 0 && value < 1;

function parse(text: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new VitError('config', 'the configuration is not JSON');
  }
  return typeof json === 'object' && json !== null ? { ...json } : {};
}
