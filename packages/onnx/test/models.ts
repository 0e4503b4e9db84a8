/** Tiny models for tests, their images, and what the engine and onnxruntime make of them. */
import { initialValues } from '@franca/nn';
import type { Gpu } from '@franca/tensor';
import { type FinalLayer, type ImageBatch, loadVit, type VitConfig, vitSpecs } from '@franca/vit';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OnnxSource } from '../src';

/** Two blocks of width 24 with a table of 4 x 4 patches of 5 pixels. */
export const TINY: VitConfig = {
  embedDim: 24,
  depth: 2,
  numHeads: 3,
  imgSize: 20,
  patchSize: 5,
  mlpRatio: 4,
  ffnLayer: 'mlp',
  numRegisterTokens: 0,
  layerScale: undefined,
  interpolateOffset: 0.1,
  interpolateAntialias: false,
};

/** Numbers like those of a normal distribution, by seed. */
const numbers = (length: number, seed: number, std: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => std * Math.sqrt(2) * Math.sin(seed + 12.9898 * i + 78.233 * i * i));

/** A model whose every parameter matters: nothing is zero or one, as after an initialisation. */
export function tinyModel(config: VitConfig, seed = 1): Required<OnnxSource> {
  const values = new Map(
    Object.entries(vitSpecs(config)).map(([name, spec], i) => {
      const noise = numbers(
        spec.shape.reduce((a, b) => a * b, 1),
        seed + i,
        0.3,
      );
      return [name, initialValues(name, spec, seed).map((value, j) => value + noise[j]!)];
    }),
  );
  const D = config.embedDim;
  const finalLayer: FinalLayer = { weight: numbers(D * D, 7, 0.5), bias: numbers(D, 8, 0.5) };
  return { config, weights: (name) => values.get(name), finalLayer };
}

/** Images of numbers such as normalised pixels are. */
export const imagesOf = (batch: number, height: number, width: number): ImageBatch => ({
  data: numbers(batch * 3 * height * width, 3, 1),
  shape: [batch, 3, height, width],
});

export interface Outputs {
  readonly cls: Float32Array;
  readonly patches: Float32Array;
}

export async function byEngine(gpu: Gpu, model: OnnxSource, images: readonly ImageBatch[]): Promise<Outputs[]> {
  const { finalLayer, ...source } = model;
  using loaded = await loadVit(gpu, source, { finalLayer });
  const outputs: Outputs[] = [];
  for (const each of images) outputs.push(await loaded.run(each, { patches: true }));
  return outputs;
}

export interface OnnxOutputs extends Outputs {
  readonly tokens: Float32Array;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

/** What onnxruntime makes of a file, on one thread that ends with it. */
export async function byOnnx(path: string, images: readonly ImageBatch[]): Promise<OnnxOutputs[]> {
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  try {
    const outputs: OnnxOutputs[] = [];
    for (const { data, shape } of images) {
      const out = await session.run({ pixel_values: new Tensor('float32', data, shape) });
      const read = (name: string) => out[name]!.data as Float32Array;
      outputs.push({
        cls: read('pooler_output'),
        patches: read('patch_tokens'),
        tokens: read('last_hidden_state'),
        shapes: Object.fromEntries(Object.entries(out).map(([name, { dims }]) => [name, dims])),
      });
    }
    return outputs;
  } finally {
    await session.release();
  }
}

/** The largest difference over the largest number. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [worst, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return worst / scale;
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
