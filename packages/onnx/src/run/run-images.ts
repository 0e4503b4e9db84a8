/** Images through a model, in the batches that it takes: the features of a `VitModel`, as far as a file gives them. */
import type { FeatureRequest, Features, ImageBatch, VitModel } from '@franca/vit';
import type { InferenceSession } from 'onnxruntime-node';
import { OnnxError } from '../errors';
import { checkImages, checkRequest } from './check-call';
import type { FoundOutputs, FoundPatches } from './find-outputs';
import { floatsOf, type ImageInput, imageTensor, type PixelMap } from './image-input';
import { firstLine, type Runtime } from './runtime';

export interface RunnableModel {
  readonly runtime: Runtime;
  readonly session: InferenceSession;
  readonly input: ImageInput;
  readonly found: FoundOutputs;
  readonly pixels: PixelMap | undefined;
  /** The only side of its images. */
  readonly side: number | undefined;
}

/** CLS [B, D] and patch tokens [B, N, D] of all images. */
interface Tokens {
  readonly cls: Float32Array;
  readonly patches: Float32Array | undefined;
}

/** Runs one batch after the other. */
export interface Runner {
  readonly features: VitModel['run'];
  /** Once none runs. */
  settled(): Promise<void>;
}

export function runner(model: RunnableModel): Runner {
  let last: Promise<unknown> = Promise.resolve();
  async function features<R extends FeatureRequest = Record<never, never>>(
    images: ImageBatch,
    request?: R,
  ): Promise<Features<R>>;
  async function features(images: ImageBatch, request: FeatureRequest = {}): Promise<Features<FeatureRequest>> {
    checkRequest(request, model.found);
    const grid = checkImages(images, model.found, model.side);
    const running = last.then(() => tokensOf(model, images));
    last = running.catch(() => undefined);
    return asFeatures(await running, request, { dim: model.found.dim, grid });
  }
  return {
    features,
    async settled(): Promise<void> {
      await last;
    },
  };
}

async function tokensOf(model: RunnableModel, images: ImageBatch): Promise<Tokens> {
  const { runtime, session, input, found, pixels } = model;
  const [B, , H, W] = images.shape;
  const D = found.dim;
  const N = found.patches ? (H / found.patches.patchSize) * (W / found.patches.patchSize) : 0;
  const cls = new Float32Array(B * D);
  const patches = found.patches && new Float32Array(B * N * D);
  const names = [...new Set([found.cls.name, ...(found.patches ? [found.patches.name] : [])])];
  const step = input.batch ?? B;
  for (let first = 0; first < B; first += step) {
    const feed = imageTensor(runtime, input, images, { first, pixels });
    const outputs = await session.run({ [input.name]: feed }, names).catch((cause: Error) => {
      throw new OnnxError('images', `the ONNX file does not run on ${W} x ${H} pixels: ${firstLine(cause.message)}`, {
        cause,
      });
    });
    const count = Math.min(step, B - first);
    const valuesOf = (name: string): Float32Array => floatsOf(name, outputs[name]!);
    if (found.patches && patches) {
      const values = valuesOf(found.patches.name);
      const each = checkedLength(found.patches, values.length / step, N, D);
      for (let i = 0; i < count; i++)
        copyPatches(
          values.subarray(i * each, (i + 1) * each),
          found.patches,
          patches.subarray((first + i) * N * D),
          D,
          N,
        );
    }
    const { kind, name } = found.cls;
    const own =
      kind === 'mean' ? meanOf(patches!.subarray(first * N * D, (first + count) * N * D), D, N) : valuesOf(name);
    const stride = kind === 'token' ? own.length / step : D;
    for (let i = 0; i < count; i++) cls.set(own.subarray(i * stride, i * stride + D), (first + i) * D);
  }
  return { cls, patches };
}

/** Numbers of an image. @throws OnnxError `outputs` where there are other tokens than the picture has patches */
function checkedLength({ name, prefix }: FoundPatches, length: number, N: number, D: number): number {
  if (length === (prefix + N) * D) return length;
  throw new OnnxError(
    'outputs',
    `${name} has ${length / D} tokens for an image, ${prefix} before the patches and ${N} patches were expected`,
  );
}

/** Patches [N, D] of one image: tokens without those before them, or maps [D, N] turned round. */
function copyPatches(
  values: Float32Array,
  { kind, prefix }: FoundPatches,
  out: Float32Array,
  D: number,
  N: number,
): void {
  if (kind === 'tokens') out.set(values.subarray(prefix * D));
  else for (let n = 0; n < N; n++) for (let d = 0; d < D; d++) out[n * D + d] = values[d * N + n]!;
}

/** Means over the patches of each image [B, D], added up in f64. */
function meanOf(patches: Float32Array, D: number, N: number): Float32Array {
  const means = new Float32Array(patches.length / N);
  for (let at = 0; at < means.length; at++) {
    const from = Math.floor(at / D) * N * D + (at % D);
    let sum = 0;
    for (let n = 0; n < N; n++) sum += patches[from + n * D]!;
    means[at] = sum / N;
  }
  return means;
}

/** What `features` gives with every request, of which types say less. */
function asFeatures(
  { cls, patches }: Tokens,
  request: FeatureRequest,
  { dim, grid }: { readonly dim: number; readonly grid: readonly [number, number] },
): Features<FeatureRequest> {
  const lists = { blockCls: request.blockCls?.map(() => cls), blockPatches: request.blockPatches?.map(() => patches!) };
  return {
    cls,
    dim,
    grid,
    heads: 1,
    prefixTokens: 1,
    patches: request.patches ? patches : undefined,
    patchMean: request.patchMean ? meanOf(patches!, dim, grid[0] * grid[1]) : undefined,
    registers: undefined,
    prenorm: undefined,
    attention: undefined,
    qkv: undefined,
    ...lists,
    blockTokens: request.blockTokens && [],
    blockQkv: request.blockQkv && [],
  } as Features<FeatureRequest>;
}
