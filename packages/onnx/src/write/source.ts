/** What is written, checked: a configuration that can be, and its weights, each of the size that the configuration says and of finite numbers. */
import { sizeOf } from '@franca/tensor';
import {
  type ConfiguredWeights,
  decodeVitConfig,
  encodeVitConfig,
  FINAL_LAYER,
  type FinalLayer,
  type VitConfig,
  vitConfig,
} from '@franca/vit';
import { OnnxError } from '../errors';
import type { ReadWeight } from './graph-builder';
import { shapesOf } from './vit-graph';

/** A model: its configuration, its weights by official name, and what takes the place of the final norm's weight and bias for patches. */
export interface OnnxSource extends ConfiguredWeights {
  readonly finalLayer?: FinalLayer | undefined;
}

/** The configuration of a model. @throws OnnxError `model` where it is broken, has unknown fields or sizes that do not divide */
export function checkedConfig(source: OnnxSource): VitConfig {
  const { config, weights }: Partial<OnnxSource> = source ?? {};
  if (typeof config !== 'object' || config === null || typeof weights !== 'function')
    throw new OnnxError(
      'model',
      'writeVitOnnx takes { config, weights }: configOf(file).config and weightsOf(file) of @franca/vit give them',
    );
  try {
    decodeVitConfig(encodeVitConfig({ config, assumed: [] }));
    shapesOf(vitConfig('base', config));
    return config;
  } catch (error) {
    throw new OnnxError('model', `no model has this configuration: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads weights by name. @throws OnnxError `model` for one that is missing, of another size, or holds what is no finite number */
export function readerOf({ weights, finalLayer }: OnnxSource, config: VitConfig): ReadWeight {
  const shapes = shapesOf(config);
  const own: Readonly<Record<string, ArrayLike<number> | undefined>> = {
    [FINAL_LAYER.weight]: finalLayer?.weight,
    [FINAL_LAYER.bias]: finalLayer?.bias,
  };
  return async (name) => {
    const values = own[name] ?? (await weights(name));
    if (!values) throw new OnnxError('model', `no weights for "${name}"; weights and configuration are of two models`);
    const shape = shapes[name]!;
    if (values.length !== sizeOf(shape))
      throw new OnnxError(
        'model',
        `"${name}" has ${values.length} values; the configuration says [${shape.join(', ')}]`,
      );
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) throw new OnnxError('model', `"${name}" holds ${values[i]} at ${i}`);
    }
    return values;
  };
}
