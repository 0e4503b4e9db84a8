/**
 * Prototypes: a weight-normalised linear layer without bias onto K classes, in chunks. logits[r, k] = z_r . (g_k v_k / ||v_k||). K reaches
 * 131,072, rows reach thousands, so logits are a recipe and not a tensor: they come in chunks of prototypes, either kept or computed anew
 * whenever they are asked for. Chunks are slices of leading rows of the weights at 256-byte boundaries, which cost nothing. Whoever
 * consumes logits (teacher targets, cross-entropy) goes chunk by chunk.
 */
import { cast, type DType, div, matmul, sliceAxis, type Tensor, weightNorm } from '@franca/tensor';
import { ONES, type ParameterSpecs, type Parameters, parameter, uniform } from './parameters';

/** `weight_g` [K, 1] one, `weight_v` [K, b] uniform in +-1/sqrt(b), as the official layer starts. */
export const prototypeSpecs = (K: number, b: number): ParameterSpecs => ({
  weight_g: parameter([K, 1], ONES),
  weight_v: parameter([K, b], uniform(1 / Math.sqrt(b))),
});

export interface Prototypes {
  readonly count: number;
  /** Width b of the features they are compared with. */
  readonly width: number;
  /** Weights of the prototypes [first, end): [end - first, b]. */
  weights(chunk: Chunk, dtype: DType): Tensor;
}

/** The prototypes of a parameter look-up (`weight_g`, `weight_v`). */
export function prototypesOf(p: Parameters): Prototypes {
  const [g, v] = [p('weight_g'), p('weight_v')];
  const rows = (x: Tensor, { first, end }: Chunk): Tensor => sliceAxis(x, 0, first, end);
  return {
    count: v.shape[0]!,
    width: v.shape[1]!,
    weights: (chunk, dtype) => weightNorm(rows(g, chunk), rows(v, chunk), dtype),
  };
}

/** Prototypes [first, end). */
export interface Chunk {
  readonly first: number;
  readonly end: number;
}

/** How K prototypes are worked through. */
export interface ChunkPlan {
  readonly chunks: readonly Chunk[];
  /** Compute logits anew for every use instead of keeping them. */
  readonly recompute: boolean;
}

export interface ChunkOptions {
  /** Largest chunk of logits or weights, bytes as f32 (default 64 MiB: half of what WebGPU binds everywhere). */
  readonly chunkBytes?: number;
  /** Keep the logits if all of them take at most this many bytes as f32 (default 1 GiB). */
  readonly keepBytes?: number;
}

/** First rows of chunks fall on 256 bytes even for a column of f32. */
const CHUNK_ALIGNMENT = 64;

/** Chunks of equal size for K prototypes of width b and at most `rows` rows of logits. */
export function planChunks(
  { count: K, width: b, rows }: { readonly count: number; readonly width: number; readonly rows: number },
  { chunkBytes = 2 ** 26, keepBytes = 2 ** 30 }: ChunkOptions = {},
): ChunkPlan {
  const largest = Math.max(Math.floor(chunkBytes / 4 / Math.max(rows, b)), CHUNK_ALIGNMENT);
  const size = Math.ceil(K / Math.ceil(K / largest) / CHUNK_ALIGNMENT) * CHUNK_ALIGNMENT;
  const chunks = Array.from({ length: Math.ceil(K / size) }, (_, i) => ({
    first: i * size,
    end: Math.min((i + 1) * size, K),
  }));
  return { chunks, recompute: chunks.length > 1 && 4 * rows * K > keepBytes };
}

/** Logits [R, K] divided by a temperature, in chunks of prototypes. */
export interface Logits extends ChunkPlan {
  readonly rows: number;
  /** [R, end - first] of chunk i. Records the computation again at every call if `recompute`. */
  chunk(i: number): Tensor;
}

/** Logits of features [R, b] over `temperature`, in the type of the features. */
export function prototypeLogits(
  features: Tensor,
  prototypes: Prototypes,
  { temperature, plan }: { readonly temperature: Tensor | number; readonly plan: ChunkPlan },
): Logits {
  const { dtype } = features;
  // the temperature is worth a pass over [R, b], not one over [R, K]
  const scaled = cast(div(cast(features, 'f32'), temperature), dtype);
  return chunked(features.shape[0]!, plan, (i) =>
    matmul(scaled, prototypes.weights(plan.chunks[i]!, dtype), { transposeB: true }),
  );
}

/** Logits that exist already, [R, K], as one chunk. */
export const wholeLogits = (logits: Tensor): Logits =>
  chunked(logits.shape[0]!, { chunks: [{ first: 0, end: logits.shape[1]! }], recompute: false }, () => logits);

const chunked = (rows: number, plan: ChunkPlan, compute: (i: number) => Tensor): Logits => ({
  ...plan,
  rows,
  chunk: perChunk(plan, compute),
});

/** A computation per chunk: recorded once and kept, or anew at every call. */
export function perChunk<T>({ recompute }: ChunkPlan, compute: (i: number) => T): (i: number) => T {
  if (recompute) return compute;
  const kept = new Map<number, T>();
  return (i) => {
    const value = kept.get(i) ?? compute(i);
    kept.set(i, value);
    return value;
  };
}
