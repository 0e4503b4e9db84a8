/**
 * A model of ours as `Dinov2Model` of the transformers library, or `Dinov2WithRegistersModel` where it has registers: its config.json and its tensors by name. They
 * compute the same, but for the resampling of positions, which a note tells. The tables are those of the way in, read backwards.
 */
import { type Shape, sizeOf } from '@franca/tensor';
import type { VitConfig } from '../config';
import { VitError } from '../errors';
import { FINAL_LAYER } from '../final-layer';
import { vitSpecs } from '../specs';
import { CONFIG_KEY, encodeVitConfig } from '../stored-config';
import type { WeightSource } from '../weights';
import { DINOV2, DINOV2_WITH_REGISTERS } from './dinov2';
import type { Family } from './family';
import { ACTIVATION_NAMES } from './fields';
import { piecesOf } from './pieces';

/** A tensor of model.safetensors, f32, row-major; read when it is asked for. */
export interface Dinov2Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** @throws VitError `weights` where the model lacks it, or has another number of values */
  read(): Promise<Float32Array>;
}

export interface Dinov2Files {
  /** What goes into config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What goes into model.safetensors, as f32. */
  readonly tensors: readonly Dinov2Tensor[];
  /** Metadata of model.safetensors: `format`, without which the transformers library refuses it, and our configuration under `CONFIG_KEY`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What the library computes differently from this model, in words. */
  readonly notes: readonly string[];
}

/**
 * The files of a Hugging Face folder for a model.
 * @throws VitError `config` for what the format cannot carry: rotary positions, attention pooling, a norm before the blocks; `weights` for a folded RASA
 */
export async function dinov2Files(config: VitConfig, weights: WeightSource): Promise<Dinov2Files> {
  refuseOthers(config);
  if (await weights(FINAL_LAYER.weight))
    throw new VitError(
      'weights',
      'a folded RASA is a matrix after the final norm, which no class of the transformers library has; write the model without it, or as ONNX',
    );
  const family = config.numRegisterTokens > 0 ? DINOV2_WITH_REGISTERS : DINOV2;
  const specs = vitSpecs({ ...config, layerScale: config.layerScale ?? 1 });
  const tensors = [...piecesOf(family, family.defaults, specs)].flatMap(([ours, pieces]) =>
    pieces.map(({ name, shape }, part): Dinov2Tensor => {
      const start = part * sizeOf(shape);
      const whole = () => valuesOf(weights, ours, specs[ours]!.shape, config);
      const read = async () => (await whole()).slice(start, start + sizeOf(shape));
      return { name: name!, shape, read };
    }),
  );
  return {
    config: configJson(config, family),
    tensors,
    metadata: { format: 'pt', [CONFIG_KEY]: encodeVitConfig({ config, assumed: [] }) },
    notes: notesOn(config, family),
  };
}

/** The values of a tensor of ours. LayerScale that the model does without is one; the mask token, which pretraining alone reads, may be absent. */
async function valuesOf(
  weights: WeightSource,
  name: string,
  shape: Shape,
  { layerScale }: VitConfig,
): Promise<Float32Array> {
  const size = sizeOf(shape);
  if (layerScale === undefined && name.endsWith('.gamma')) return new Float32Array(size).fill(1);
  const values = await weights(name);
  if (!values && name === 'mask_token') return new Float32Array(size);
  if (values?.length !== size)
    throw new VitError(
      'weights',
      `the model has ${values ? `${values.length} values of` : 'no'} "${name}"; [${shape.join(', ')}] are needed`,
    );
  return Float32Array.from(values);
}

/**
 * All fields of the configuration class that a model is made from. Version 5 of the library refuses a whole number where it expects a float, which JSON of this language
 * cannot tell apart: `layerscale_value`, the initial value alone, is left to its default of 1.0 then, and the rates of dropout are left to theirs, which are 0.0.
 */
function configJson(config: VitConfig, family: Family): Record<string, unknown> {
  const { layerScale = 1, activation = 'gelu', normEps = 1e-6 } = config;
  const registers = config.numRegisterTokens;
  return {
    architectures: [family.name],
    model_type: family.type,
    hidden_size: config.embedDim,
    num_hidden_layers: config.depth,
    num_attention_heads: config.numHeads,
    mlp_ratio: config.mlpRatio,
    hidden_act: ACTIVATION_NAMES[activation],
    initializer_range: 0.02,
    layer_norm_eps: normEps,
    image_size: config.imgSize,
    patch_size: config.patchSize,
    num_channels: 3,
    qkv_bias: true,
    ...(Number.isInteger(layerScale) ? {} : { layerscale_value: layerScale }),
    use_swiglu_ffn: config.ffnLayer === 'swiglu',
    ...(registers > 0 ? { num_register_tokens: registers } : { use_mask_token: true }),
    apply_layernorm: true,
    reshape_hidden_states: true,
    torch_dtype: 'float32',
  };
}

/** @throws VitError `config` */
function refuseOthers({ ropeTheta, preNorm, classToken = true }: VitConfig): void {
  const cannot = [
    ...(ropeTheta === undefined ? [] : [`rotary positions (ropeTheta ${ropeTheta})`]),
    ...(preNorm ? ['a norm before the blocks (preNorm)'] : []),
    ...(classToken ? [] : ['attention pooling in place of a class token (classToken false)']),
  ];
  if (cannot.length > 0)
    throw new VitError('config', `Dinov2Model cannot carry ${cannot.join(' and ')}; write the model as ONNX`);
}

function notesOn(config: VitConfig, { name }: Family): readonly string[] {
  const antialiased = config.numRegisterTokens > 0;
  const { imgSize, interpolateOffset: offset } = config;
  const ours = `${offset === 0 ? 'without offset' : `with an offset of ${offset}`} and ${config.interpolateAntialias ? 'antialiased' : 'not antialiased'}`;
  const same = offset === 0 && config.interpolateAntialias === antialiased;
  return [
    ...(same
      ? []
      : [
          `for images of other sizes than ${imgSize} px ${name} resamples positions without offset and ${antialiased ? 'antialiased' : 'not antialiased'}, this model ${ours}: its features differ slightly there`,
        ]),
    ...(config.layerScale === undefined
      ? [`the model has no LayerScale: ${name} has one of ones, which changes nothing`]
      : []),
    ...(Number.isInteger(config.mlpRatio)
      ? []
      : [
          `mlp_ratio is ${config.mlpRatio}, which version 5 of the transformers library refuses, as it expects a whole number; version 4 reads it`,
        ]),
  ];
}
