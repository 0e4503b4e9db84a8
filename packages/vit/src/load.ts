/** Weights onto a device: from a file that is open, or by official name into a state, and a model on top of it. */
import type { ParameterSpecs } from '@franca/nn';
import { createState, type DType, type Gpu, type GroupSpec, type State, type StateSpec, sizeOf } from '@franca/tensor';
import type { VitConfig } from './config';
import { type ConfigOfWeights, configOf } from './config-of-weights';
import { VitError } from './errors';
import { type FinalLayer, finalLayerOf } from './final-layer';
import { type VitModel, vitOnState } from './model';
import { vitSpecs } from './specs';
import { type WeightFile, type WeightSource, weightsOf } from './weights';

/** Weights whose configuration is known. */
export interface ConfiguredWeights {
  readonly config: VitConfig;
  readonly weights: WeightSource;
}

export interface LoadOptions {
  /** Of a file: what is known of its configuration besides what it says itself, such as `{ numHeads: 6 }`. */
  readonly known?: Partial<VitConfig> | undefined;
  /** Type of activations (default f32); f16 needs an adapter with `shader-f16`. */
  readonly dtype?: DType | undefined;
  /** In place of the final norm's weight and bias for patches; of a file, its own where it has one. */
  readonly finalLayer?: FinalLayer | undefined;
}

/** A model with what was found out about its weights: nothing is assumed and unused where the configuration was given. */
export interface LoadedVit extends VitModel, ConfigOfWeights {}

/**
 * Puts a model on the device: that of an open file, whatever stands before its names, or weights whose configuration is known.
 * @throws VitError as `configOf`, `vitState` and `vitOnState` do
 */
export async function loadVit(
  gpu: Gpu,
  source: WeightFile | ConfiguredWeights,
  options: LoadOptions = {},
): Promise<LoadedVit> {
  checkOptions(options);
  const { config, assumed, unused, weights, finalLayer } = await resolve(source, options);
  const more: StateSpec = finalLayer ? { finalLayer: finalLayerSpecs(config) } : {};
  const state = await vitState(gpu, { config, weights }, more);
  try {
    for (const [name, values] of Object.entries(finalLayer ?? {})) state.write('finalLayer', name, values);
    const groups = { state, group: 'weights', ...(finalLayer && { finalLayer: 'finalLayer' }) };
    const model = vitOnState(gpu, groups, config, options.dtype);
    const dispose = (): void => {
      model.dispose();
      state.dispose();
    };
    return { ...model, assumed, unused, dispose, [Symbol.dispose]: dispose };
  } catch (error) {
    state.dispose();
    throw error;
  }
}

interface Resolved extends ConfigOfWeights, ConfiguredWeights {
  readonly finalLayer: FinalLayer | undefined;
}

async function resolve(source: WeightFile | ConfiguredWeights, { known, finalLayer }: LoadOptions): Promise<Resolved> {
  if (typeof source !== 'object' || source === null || !('weights' in source))
    return {
      ...configOf(source, known),
      weights: weightsOf(source),
      finalLayer: finalLayer ?? (await finalLayerOf(source)),
    };
  if (known)
    throw new VitError('config', 'known values are for a file; where the configuration is given, put them into it');
  return { config: source.config, weights: source.weights, assumed: [], unused: [], finalLayer };
}

/** @throws VitError `config` for options that do not exist */
function checkOptions(options: LoadOptions): void {
  const names: Readonly<Record<keyof LoadOptions, true>> = { known: true, dtype: true, finalLayer: true };
  const odd = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (odd !== undefined)
    throw new VitError(
      'config',
      `loadVit has no option "${odd}"; it has ${Object.keys(names).join(', ')}; values of the configuration go into known: { numHeads: 6 }`,
    );
}

const finalLayerSpecs = ({ embedDim: D }: VitConfig): GroupSpec => ({
  weight: { shape: [D, D], dtype: 'f32' },
  bias: { shape: [D], dtype: 'f32' },
});

/**
 * State with a model's weights as the group `weights`, for steps of one's own; `more` are further groups, zero at first. A missing `mask_token` is zero.
 * Throws `VitError` with code `weights` if a weight is missing or has another size.
 */
export async function vitState<More extends StateSpec = Record<never, never>>(
  gpu: Gpu,
  { config, weights }: ConfiguredWeights,
  more?: More,
): Promise<State<{ readonly weights: ParameterSpecs } & More>> {
  const specs = vitSpecs(config);
  const state: State<{ readonly weights: ParameterSpecs } & More> = createState(
    gpu,
    Object.assign({ weights: specs }, more ?? ({} as More)),
  );
  try {
    for (const [name, { shape }] of Object.entries(specs)) {
      const values = await weights(name);
      if (!values && name === 'mask_token') continue;
      if (!values) throw new VitError('weights', `no weights for "${name}"`);
      if (values.length !== sizeOf(shape))
        throw new VitError('weights', `"${name}" has ${values.length} values, the model needs [${shape.join(', ')}]`);
      state.write('weights', name, values);
    }
  } catch (error) {
    state.dispose();
    throw error;
  }
  return state;
}
