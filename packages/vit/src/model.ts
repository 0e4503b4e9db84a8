/**
 * A ViT on a device: images in, features out. Each size of batch and image is compiled on first use, and the plans of the last few sizes are kept: a plan
 * holds memory on the device, and photographs come in many sizes. The weights are shared between the plans, and may be those of a model in training.
 */
import { parametersOf, within } from '@franca/nn';
import {
  compile,
  type DType,
  type Gpu,
  type Spec,
  type State,
  type Step,
  type Tensor,
  type WarmOptions,
} from '@franca/tensor';
import type { VitConfig } from './config';
import { VitError } from './errors';
import {
  type AllFeatures,
  type FeatureRequest,
  type Features,
  outputNames,
  readFeatures,
  recordFeatures,
} from './features';
import type { ImageBatch } from './fit-images';

export interface VitModel extends Disposable {
  readonly config: VitConfig;
  /**
   * Features of normalised images [B, 3, H, W]; H and W multiples of the patch size (see `fitImages`). CLS comes always, the rest as asked for. Calls are
   * answered in turn. Throws `VitError` for images of another size and for blocks that do not exist.
   */
  run<R extends FeatureRequest = Record<never, never>>(images: ImageBatch, request?: R): Promise<Features<R>>;
  /**
   * Compiles for a size before it is needed, kernels of a software adapter included, of which `warming` hears and which it may end. A `run` that
   * asks for no more than `request` uses this plan and copies less.
   */
  prepare(shape: ImageBatch['shape'], request?: FeatureRequest, warming?: WarmOptions): Promise<void>;
  dispose(): void;
}

/** Where weights lie on the device. */
export interface WeightsOnDevice {
  readonly state: State;
  /** Group of the state that holds them. */
  readonly group: string;
  /** What stands before the official names, without its dot: `backbone`. */
  readonly prefix?: string;
  /** Group with `weight` and `bias` of a final layer (see `FinalLayer`). */
  readonly finalLayer?: string;
}

/** Plans that are kept. Who has many sizes of images runs those of one size together. */
const MAX_PLANS = 8;

type FeatureStep = Step<{ images: Spec }, Record<string, never>>;

/** A step for one size, and the names of what it gives. */
interface Compiled {
  readonly shape: string;
  readonly outputs: readonly string[];
  readonly step: FeatureStep;
}

/**
 * A model on weights that are on the device already; they are read as they are when a batch runs, and are not disposed of with the model.
 * `dtype`: type of activations. Throws `VitError` with code `config` for f16 where the adapter has none.
 */
export function vitOnState(
  gpu: Gpu,
  { state, group, prefix, finalLayer }: WeightsOnDevice,
  config: VitConfig,
  dtype: DType = 'f32',
): VitModel {
  if (dtype === 'f16' && !gpu.target.f16)
    throw new VitError('config', `${gpu.target.name} has no f16; load the model with dtype f32`);
  const known: Compiled[] = [];

  async function stepFor(shape: ImageBatch['shape'], request: FeatureRequest): Promise<FeatureStep> {
    const outputs = outputNames(request, config);
    const fits = known.findIndex(
      (one) => one.shape === shape.join() && outputs.every((name) => one.outputs.includes(name)),
    );
    // what is used goes to the end, so that the first is the one that was not used for longest
    if (fits >= 0) known.push(...known.splice(fits, 1));
    if (fits >= 0) return known.at(-1)!.step;
    if (known.length >= MAX_PLANS) known.shift()!.step.dispose();
    const step = await compile(
      gpu,
      (s, { images }: { images: Tensor }) => {
        const all = parametersOf(s[group]!.tensors);
        const p = prefix === undefined ? all : within(all, prefix);
        const last = finalLayer === undefined ? {} : { finalLayer: parametersOf(s[finalLayer]!.tensors) };
        return recordFeatures(p, images, config, request, { dtype, ...last });
      },
      { state, batch: { images: { shape, dtype: 'f32' } } },
    );
    known.push({ shape: shape.join(), outputs, step });
    return step;
  }

  // the outputs of a size lie in buffers of its own plan: they are read before the next batch runs
  const inTurn = turns();
  function run<R extends FeatureRequest>(images: ImageBatch, request?: R): Promise<Features<R>>;
  function run({ data, shape }: ImageBatch, request: FeatureRequest = {}): Promise<AllFeatures> {
    return inTurn(async () => {
      const step = await stepFor(shape, request);
      step.run({ images: data });
      return readFeatures(request, shape, config, async (name) => Float32Array.from(await step.read(name)));
    });
  }
  const dispose = (): void => {
    for (const { step } of known.splice(0)) step.dispose();
  };
  return {
    config,
    run,
    prepare: (shape, request = {}, warming = {}) => inTurn(async () => (await stepFor(shape, request)).warm(warming)),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** Runs what it is given one after the other, in the order of the calls. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result.catch(() => {});
    return result;
  };
}
