/** The families that can be loaded, and which of them a config.json is of. */
import { VitError } from '../errors';
import { CLIP } from './clip';
import { DINOV2, DINOV2_WITH_REGISTERS } from './dinov2';
import { DINOV3 } from './dinov3';
import type { Family } from './family';
import { type Fields, refuse, said } from './fields';
import { SIGLIP } from './siglip';
import { DEIT, VIT, VIT_MAE } from './vit-models';

export const FAMILIES: readonly Family[] = [DINOV2, DINOV2_WITH_REGISTERS, VIT, DEIT, VIT_MAE, CLIP, SIGLIP, DINOV3];

export interface Description {
  readonly family: Family;
  /** What config.json says of the vision model, with the defaults of its class. */
  readonly fields: Fields;
}

/**
 * Family and fields of a config.json.
 * @throws VitError `config` for a family that is not known, and for fields that make it another model
 */
export function describe(config: unknown): Description {
  if (!isRecord(config))
    throw new VitError(
      'config',
      `the fields of config.json are expected; ${config === null ? 'null' : typeof config} was given: parse the file first`,
    );
  const type = config.model_type;
  const family = FAMILIES.find((each) => type === each.type || (type !== undefined && type === each.partOf));
  if (!family) {
    const types = FAMILIES.flatMap(({ type, partOf }) => (partOf === undefined ? [type] : [type, partOf]));
    refuse(config, 'model_type', `the models that can be loaded are ${types.join(', ')}`);
  }
  const fields: Fields = { ...family.defaults, ...(type === family.type ? config : visionHalf(config, family)) };
  for (const [name, [value, otherwise]] of Object.entries(family.required))
    if (fields[name] !== value)
      throw new VitError('config', `${said(fields, name)} in config.json: ${otherwise}; ${value} can be loaded`);
  return { family, fields };
}

/** `vision_config_dict`, which early files have besides, comes before `vision_config`, its absent fields as defaults. */
function visionHalf(config: Fields, { defaults }: Family): Fields {
  const [half, older] = ['vision_config', 'vision_config_dict'].map((name) => {
    const value = config[name] ?? undefined;
    return value === undefined || isRecord(value)
      ? value
      : refuse(config, name, 'expected the fields of the vision half');
  });
  return { ...half, ...(older && { ...defaults, ...older }) };
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
