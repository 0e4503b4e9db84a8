/**
 * A backbone that gives what evaluations read, and copies nothing else off the device: CLS tokens of the last blocks, the mean patch token, and
 * on request all patch tokens and the attention of CLS. Everything is after the final norm. Each size of batch and image is compiled once.
 */
import { parametersOf } from '@franca/nn';
import type { LinearMap } from '@franca/rasa';
import {
  add,
  compile,
  constant,
  type Gpu,
  layerNorm,
  matmul,
  mean,
  type Spec,
  type Step,
  type Tensor,
} from '@franca/tensor';
import {
  clsAttention,
  type ImageBatch,
  normIntermediate,
  splitTokens,
  type VitConfig,
  vit,
  vitState,
  type WeightSource,
} from '@franca/vit';

export interface FeatureRequest {
  /** CLS tokens of so many last blocks. */
  readonly blocks: number;
  readonly patches?: boolean;
  readonly attention?: boolean;
}

export interface BatchFeatures {
  /** Rows and columns of patches. */
  readonly grid: readonly [rows: number, columns: number];
  /** CLS tokens [B, D], of the oldest block first; the last is the model's output. */
  readonly blocks: readonly Float32Array[];
  /** [B, D]. */
  readonly patchMean: Float32Array;
  /** [B, N, D], where asked for. */
  readonly patches: Float32Array | undefined;
  /** Attention of CLS in the last block to all tokens [B, heads, 1 + R + N], where asked for. */
  readonly attention: Float32Array | undefined;
}

export interface FeatureModel extends Disposable {
  readonly config: VitConfig;
  run(images: ImageBatch, request: FeatureRequest): Promise<BatchFeatures>;
}

type FeatureStep = Step<{ images: Spec }, Record<string, never>>;

/**
 * Puts a model on the device. `folded` stands in for the affine part of the final norm where patches are concerned (RASA folded into the weights).
 * @throws VitError where weights are missing or do not fit
 */
export async function openFeatureModel(
  gpu: Gpu,
  { config, read, folded }: { config: VitConfig; read: WeightSource; folded?: LinearMap | undefined },
): Promise<FeatureModel> {
  const D = config.embedDim;
  const layer = {
    weight: { shape: [D, D], dtype: 'f32' as const },
    bias: { shape: [D], dtype: 'f32' as const },
  };
  const state = await vitState(gpu, config, read, folded ? { folded: layer } : {});
  if (folded) for (const name of ['weight', 'bias'] as const) state.write('folded', name, folded[name]);
  const steps = new Map<string, Promise<FeatureStep>>();
  const compiled: FeatureStep[] = [];

  async function compileFor(
    shape: ImageBatch['shape'],
    { blocks, patches, attention }: FeatureRequest,
  ): Promise<FeatureStep> {
    const intermediate = Array.from({ length: blocks - 1 }, (_, i) => i - blocks);
    const step = await compile(
      gpu,
      (s, { images }) => {
        const p = parametersOf(s.weights!.tensors);
        const out = vit(p, images, config, { intermediate });
        const tokens = s.folded ? foldedPatches(out.prenorm, s.folded.tensors, config) : out.patches;
        return {
          blocks: [...out.intermediate.map((block) => normIntermediate(p, block, config).cls), out.cls],
          patchMean: mean(tokens, [1]),
          ...(patches ? { patches: tokens } : {}),
          ...(attention ? { attention: clsAttention(out.qkv, config) } : {}),
        };
      },
      { state, batch: { images: { shape, dtype: 'f32' } } },
    );
    compiled.push(step as FeatureStep);
    return step as FeatureStep;
  }

  return {
    config,
    async run({ data, shape }, request) {
      const key = JSON.stringify([shape, request]);
      const pending = steps.get(key) ?? compileFor(shape, request);
      steps.set(key, pending);
      const step = await pending;
      step.run({ images: data });
      const values = async (path: string) => Float32Array.from(await step.read(path));
      const blocks: Float32Array[] = [];
      for (let i = 0; i < request.blocks; i++) blocks.push(await values(`blocks.${i}`));
      return {
        grid: [shape[2] / config.patchSize, shape[3] / config.patchSize],
        blocks,
        patchMean: await values('patchMean'),
        patches: request.patches ? await values('patches') : undefined,
        attention: request.attention ? await values('attention') : undefined,
      };
    },
    [Symbol.dispose]() {
      for (const step of compiled) step.dispose();
      state.dispose();
    },
  };
}

/** Patch tokens by the folded layer: W xhat + b with the parameter-free norm xhat. */
function foldedPatches(prenorm: Tensor, { weight, bias }: Readonly<Record<string, Tensor>>, config: VitConfig): Tensor {
  const D = config.embedDim;
  const normalised = layerNorm(prenorm, constant(new Float32Array(D).fill(1), [D]), constant(new Float32Array(D), [D]));
  const { patches } = splitTokens(normalised, config.numRegisterTokens);
  return add(matmul(patches, weight!, { transposeB: true }), bias!);
}
