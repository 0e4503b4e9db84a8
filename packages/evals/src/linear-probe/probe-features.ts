/**
 * What the linear probe sees of an image: class tokens of the last blocks and the mean patch token. Class tokens are
 * taken after the final norm, the mean is that of the last block's patch tokens. A classifier over `n` blocks reads the
 * last `n` class tokens, oldest first, and with `avgpool` the patch mean after them. Laid side by side as
 * `[block 1 | ... | last block | patch mean]`, each of these choices is one contiguous range of columns, so all
 * classifiers share one matrix.
 */
import { checkSet, PATCHES } from '../check-features';
import { EvalsError } from '../errors';
import { type PatchFeatures, patchTokens } from '../features';
import { type Matrix, matrix } from '../matrix';

/** Features of a set of images. */
export interface ProbeFeatures {
  /** Width `D` of one token. */
  readonly dim: number;
  /** Class tokens `[n, D]` of the last blocks, oldest first; one entry where only the last block is known. */
  readonly blocks: readonly Float32Array[];
  /** Mean of the last block's patch tokens `[n, D]`. */
  readonly patchMean?: Float32Array;
  readonly labels: Int32Array;
}

/** What each part must be. */
export const PROBE_PARTS = { dim: 'number', blocks: 'Float32Arrays', labels: 'Int32Array' } as const;

/** Which parts a classifier reads. */
export interface ProbeInput {
  readonly blocks: number;
  readonly avgpool: boolean;
}

/** What features look like, whichever images they are of. */
export interface ProbeShape {
  /** Width `D` of one token. */
  readonly dim: number;
  /** Class tokens of so many last blocks. */
  readonly blocks: number;
  readonly patchMean: boolean;
}

/** Features of images that lie elsewhere, such as on disk, and are read by range. */
export interface StoredProbeFeatures extends ProbeShape {
  readonly labels: Int32Array;
  /** Rows `begin` (included) to `end` (excluded), the same each time. */
  read(begin: number, end: number): Promise<ProbeFeatures>;
}

/** What each part of stored features must be. */
export const STORED_PARTS = {
  dim: 'number',
  blocks: 'number',
  patchMean: 'boolean',
  labels: 'Int32Array',
  read: 'function',
} as const;

export const isStored = (features: object): features is StoredProbeFeatures => 'read' in features;

export const shapeOf = ({ dim, blocks, patchMean }: ProbeFeatures): ProbeShape => ({
  dim,
  blocks: blocks.length,
  patchMean: patchMean !== undefined,
});

/** Refuses features that are not one row per label in each part, all of them finite. */
export function checkProbeFeatures(features: ProbeFeatures): void {
  checkSet('features', features, PROBE_PARTS);
  partsOf(features).forEach((part, p) => {
    if (matrix(part, features.dim).rows !== features.labels.length) {
      const rows = part.length / features.dim;
      throw new EvalsError(
        'features',
        `part ${p} has ${rows} rows of ${features.dim} for ${features.labels.length} labels`,
      );
    }
  });
}

const partsOf = ({ blocks, patchMean }: ProbeFeatures): readonly Float32Array[] =>
  patchMean ? [...blocks, patchMean] : blocks;

/** Rows `[n, (blocks + 1) * D]` that all classifiers share, without a patch mean `[n, blocks * D]`; of `items` or of all. */
export function probeRows(features: ProbeFeatures, items?: ArrayLike<number>): Matrix {
  checkSet('probeRows: features', features, PROBE_PARTS);
  return gather(partsOf(features), features.dim, items ?? rangeOf(0, features.labels.length));
}

/** Of items `begin` to `end` the columns that a classifier reads. */
export function inputRows(features: ProbeFeatures, input: ProbeInput, begin: number, end: number): Matrix {
  const { dim, blocks, patchMean } = features;
  const last = blocks.slice(blocks.length - input.blocks);
  return gather(input.avgpool ? [...last, patchMean!] : last, dim, rangeOf(begin, end));
}

/** The numbers from `begin` (included) to `end` (excluded). */
export function rangeOf(begin: number, end: number): Int32Array {
  const numbers = new Int32Array(end - begin);
  for (let i = 0; i < numbers.length; i++) numbers[i] = begin + i;
  return numbers;
}

function gather(parts: readonly Float32Array[], dim: number, items: ArrayLike<number>): Matrix {
  const cols = dim * parts.length;
  const data = new Float32Array(items.length * cols);
  parts.forEach((part, p) => {
    for (let i = 0; i < items.length; i++)
      data.set(part.subarray(items[i]! * dim, (items[i]! + 1) * dim), i * cols + p * dim);
  });
  return { data, rows: items.length, cols };
}

/** The labels of the items with the given numbers. */
export function takeLabels(labels: Int32Array, items: ArrayLike<number>): Int32Array {
  const taken = new Int32Array(items.length);
  for (let i = 0; i < items.length; i++) taken[i] = labels[items[i]!]!;
  return taken;
}

/** The columns of `probeRows` that a classifier reads. */
export function probeColumns({ dim, blocks }: ProbeShape, input: ProbeInput): readonly [start: number, end: number] {
  return [(blocks - input.blocks) * dim, (blocks + Number(input.avgpool)) * dim];
}

/** Mean patch token of each image, `[n, D]`. */
export function patchMeans(features: PatchFeatures): Float32Array {
  checkSet('patchMeans: features', features, PATCHES);
  const { data: patches } = patchTokens(features);
  const { dim, grid } = features;
  const count = grid[0] * grid[1];
  const images = patches.length / (count * dim);
  const means = new Float32Array(images * dim);
  for (let i = 0; i < images; i++) {
    for (let d = 0; d < dim; d++) {
      let sum = 0;
      for (let p = 0; p < count; p++) sum += patches[(i * count + p) * dim + d]!;
      means[i * dim + d] = sum / count;
    }
  }
  return means;
}
