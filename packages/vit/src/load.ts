/** Weights onto a device: values by official name into a state, and a model on top of it. */
import { createState, type DType, type Gpu, type GroupSpec, type State, sizeOf } from '@franca/tensor';
import type { VitConfig } from './config';
import { VitError } from './errors';
import { type VitModel, vitOnState } from './model';
import { vitSpecs } from './specs';
import type { WeightSource } from './weights';

/** A linear map, `weight` [D, D] (rows: output) and `bias` [D], in place of weight and bias of the final norm where patches are concerned. */
export interface FinalLayer {
  readonly weight: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
}

export interface LoadOptions {
  /** Type of activations (default f32); f16 needs an adapter with `shader-f16`. */
  readonly dtype?: DType;
  readonly finalLayer?: FinalLayer | undefined;
}

/** Puts a model on the device. Throws `VitError` as `vitState` and `vitOnState` do. */
export async function loadVit(
  gpu: Gpu,
  config: VitConfig,
  weights: WeightSource,
  { dtype, finalLayer }: LoadOptions = {},
): Promise<VitModel> {
  const state = await vitState(gpu, config, weights, finalLayer ? { finalLayer: finalLayerSpecs(config) } : {});
  try {
    for (const [name, values] of Object.entries(finalLayer ?? {})) state.write('finalLayer', name, values);
    const groups = { state, group: 'weights', ...(finalLayer && { finalLayer: 'finalLayer' }) };
    const model = vitOnState(gpu, groups, config, dtype);
    const dispose = (): void => {
      model.dispose();
      state.dispose();
    };
    return { ...model, dispose, [Symbol.dispose]: dispose };
  } catch (error) {
    state.dispose();
    throw error;
  }
}

const finalLayerSpecs = ({ embedDim: D }: VitConfig): GroupSpec => ({
  weight: { shape: [D, D], dtype: 'f32' },
  bias: { shape: [D], dtype: 'f32' },
});

/**
 * State with a model's weights as the group `weights`, for steps of one's own; `more` are further groups, zero at first. A missing `mask_token` is zero.
 * Throws `VitError` with code `weights` if a weight is missing or has another size.
 */
export async function vitState(
  gpu: Gpu,
  config: VitConfig,
  weights: WeightSource,
  more: Readonly<Record<string, GroupSpec>> = {},
): Promise<State> {
  const specs = vitSpecs(config);
  const state = createState(gpu, { weights: specs, ...more });
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
