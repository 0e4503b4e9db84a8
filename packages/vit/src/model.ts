/**
 * A ViT on a device, ready for use: weights in, features out. Each size of batch and image is compiled once, on first use; the weights are
 * shared between them.
 */

import { parametersOf } from '@franca/nn';
import {
  compile,
  createState,
  type DType,
  type Gpu,
  type GroupSpec,
  type Spec,
  type State,
  type Step,
  type Tensor,
} from '@franca/tensor';
import type { VitConfig } from './config';
import { VitError } from './errors';
import type { ImageBatch } from './fit-images';
import { vitSpecs } from './specs';
import { blockIndex, clsAttention, normIntermediate, vit } from './vit';
import { flatBlockName } from './weights';

/** Values of a weight, by official name; asked for one at a time so that a checkpoint need not be in memory whole. */
export type WeightSource = (name: string) => ArrayLike<number> | undefined | Promise<ArrayLike<number> | undefined>;

export interface Features {
  /** Normalised CLS token [B, D]. */
  readonly cls: Float32Array;
  /** Normalised patch tokens [B, N, D], N = rows * columns, row-major. */
  readonly patches: Float32Array;
  /** Normalised registers [B, R, D]. */
  readonly registers: Float32Array;
  /** Patches per image: rows and columns. */
  readonly grid: readonly [rows: number, columns: number];
}

export interface DetailedFeatures extends Features {
  /** All tokens before the final norm [B, 1 + R + N, D]. */
  readonly prenorm: Float32Array;
  /** Chosen blocks after the final norm, in block order. */
  readonly intermediate: readonly { readonly cls: Float32Array; readonly patches: Float32Array }[];
  /** Attention of CLS in the last block [B, heads, 1 + R + N]. */
  readonly clsAttention: Float32Array;
  /** Packed queries, keys, values of the last block [B, 1 + R + N, 3 D]. */
  readonly qkv: Float32Array;
}

export interface VitModel extends Disposable {
  readonly config: VitConfig;
  /** Features of normalised images [B, 3, H, W]; H and W multiples of the patch size (see `fitImages`). */
  features(images: ImageBatch): Promise<Features>;
  /** Everything there is to look at, with the outputs of the blocks `intermediate` (default none). */
  inspect(images: ImageBatch, intermediate?: readonly number[]): Promise<DetailedFeatures>;
  dispose(): void;
}

export interface LoadOptions {
  /** Type of activations (default f32); f16 needs an adapter with `shader-f16`. */
  readonly dtype?: DType;
}

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
      const size = shape.reduce((a, b) => a * b, 1);
      if (!values && name === 'mask_token') continue;
      if (values?.length !== size)
        throw new VitError(
          'weights',
          values
            ? `"${name}" has ${values.length} values, the model needs [${shape.join(', ')}]`
            : `no weights for "${name}"`,
        );
      state.write('weights', name, values);
    }
  } catch (error) {
    state.dispose();
    throw error;
  }
  return state;
}

/** Puts a model on the device. Throws `VitError` as `vitState` does, and with code `config` for f16 where the adapter has none. */
export async function loadVit(
  gpu: Gpu,
  config: VitConfig,
  weights: WeightSource,
  { dtype = 'f32' }: LoadOptions = {},
): Promise<VitModel> {
  if (dtype === 'f16' && !gpu.target.f16)
    throw new VitError('config', `${gpu.target.name} has no f16; load the model with dtype f32`);
  const state = await vitState(gpu, config, weights);

  type AnyStep = Step<{ images: Spec }, Record<string, never>>;
  const steps = new Map<string, Promise<AnyStep>>();
  const compiledSteps: AnyStep[] = [];
  function stepFor(shape: ImageBatch['shape'], detailed: boolean, intermediate: readonly number[]): Promise<AnyStep> {
    const key = JSON.stringify([shape, detailed, intermediate]);
    const known = steps.get(key);
    if (known) return known;
    const compiled = compile(
      gpu,
      (s, { images }: { images: Tensor }) => {
        const p = parametersOf(s.weights!.tensors);
        const out = vit(p, images, config, { dtype, intermediate });
        const basic = {
          cls: out.cls,
          patches: out.patches,
          ...(config.numRegisterTokens > 0 ? { registers: out.registers } : {}),
        };
        if (!detailed) return basic;
        return {
          ...basic,
          prenorm: out.prenorm,
          intermediate: out.intermediate.map((tokens) => normIntermediate(p, tokens, config)),
          clsAttention: clsAttention(out.qkv, config),
          qkv: out.qkv,
        };
      },
      { state, batch: { images: { shape, dtype: 'f32' } } },
    );
    const ready = compiled.then((step) => {
      compiledSteps.push(step as AnyStep);
      return step as AnyStep;
    });
    steps.set(key, ready);
    // a size that did not fit may fit later
    ready.catch(() => steps.delete(key));
    return ready;
  }

  // The outputs of a size lie in buffers of its own plan: they must be read before the next batch of that size runs.
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work, work);
    last = result.catch(() => {});
    return result;
  }

  async function run(
    { data, shape }: ImageBatch,
    detailed: boolean,
    intermediate: readonly number[],
  ): Promise<{ read: (path: string) => Promise<Float32Array>; features: Features }> {
    const step = await stepFor(shape, detailed, intermediate);
    step.run({ images: data });
    const read = async (path: string) => Float32Array.from(await step.read(path));
    const features: Features = {
      cls: await read('cls'),
      patches: await read('patches'),
      registers: config.numRegisterTokens > 0 ? await read('registers') : new Float32Array(0),
      grid: [shape[2] / config.patchSize, shape[3] / config.patchSize],
    };
    return { read, features };
  }

  async function inspect(images: ImageBatch, blocks: readonly number[]): Promise<DetailedFeatures> {
    const chosen = [...new Set(blocks.map((index) => blockIndex(index, config.depth)))];
    const { read, features } = await run(images, true, chosen);
    return {
      ...features,
      prenorm: await read('prenorm'),
      intermediate: await Promise.all(
        chosen.map(async (_, i) => ({
          cls: await read(`intermediate.${i}.cls`),
          patches: await read(`intermediate.${i}.patches`),
        })),
      ),
      clsAttention: await read('clsAttention'),
      qkv: await read('qkv'),
    };
  }

  const dispose = (): void => {
    for (const step of compiledSteps) step.dispose();
    state.dispose();
  };
  return {
    config,
    features: (images) => inTurn(async () => (await run(images, false, [])).features),
    inspect: (images, intermediate = []) => inTurn(() => inspect(images, intermediate)),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** A weight source over tensors in memory, whose block names may be chunked. */
export function weightsFrom(tensors: Readonly<Record<string, ArrayLike<number>>>): WeightSource {
  const flat = new Map(Object.entries(tensors).map(([name, values]) => [flatBlockName(name), values]));
  return (name) => flat.get(name);
}
