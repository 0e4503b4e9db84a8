/**
 * Features that are read by range: those of some of their rows, those in memory as if they were stored, and the other way round. Whoever
 * scores or trains on them sees one kind of thing, wherever it lies.
 */
import { checkSet } from '../check-features';
import { checkArgument, checkOption, EvalsError } from '../errors';
import {
  checkProbeFeatures,
  isStored,
  PROBE_PARTS,
  type ProbeFeatures,
  type ProbeShape,
  STORED_PARTS,
  type StoredProbeFeatures,
  shapeOf,
  takeLabels,
} from './probe-features';

/** Numbers in a row of all tokens of an image. */
export const rowWidth = ({ dim, blocks, patchMean }: ProbeShape): number => dim * (blocks + Number(patchMean));

/** Features in memory as if they were stored: what is read are views. */
export function asStored(features: ProbeFeatures | StoredProbeFeatures): StoredProbeFeatures {
  if (isStored(features)) return features;
  const { dim, blocks, patchMean, labels } = features;
  return {
    ...shapeOf(features),
    labels,
    async read(begin, end) {
      const rows = (part: Float32Array): Float32Array => part.subarray(begin * dim, end * dim);
      return {
        dim,
        blocks: blocks.map(rows),
        ...(patchMean && { patchMean: rows(patchMean) }),
        labels: labels.subarray(begin, end),
      };
    },
  };
}

/** Rows that are read with the ones beside them where no more than so many others lie between. */
const SMALL_GAP = 8;

/**
 * Some rows of stored features, by ascending number: the others are neither copied nor, where they are many, read.
 *
 * @throws EvalsError `features`, `labels`, `argument` or `options`
 */
export function chosenRows(features: StoredProbeFeatures, rows: Int32Array): StoredProbeFeatures {
  checkSet('chosenRows: features', features, STORED_PARTS);
  checkArgument('chosenRows', 'rows', rows, 'Int32Array');
  const { dim, blocks, patchMean, labels } = features;
  const bad = rows.findIndex((row, i) => row <= (i === 0 ? -1 : rows[i - 1]!) || row >= labels.length);
  checkOption(
    bad < 0,
    `chosenRows: row ${rows[bad]} is not one of ${labels.length}, or not above the one before it; give ascending row numbers`,
  );
  return {
    dim,
    blocks,
    patchMean,
    labels: takeLabels(labels, rows),
    async read(begin, end) {
      const own = rows.subarray(begin, end);
      const out = emptyRows(features, own.length);
      for (let from = 0, to = 1; from < own.length; from = to++) {
        while (to < own.length && own[to]! - own[to - 1]! <= SMALL_GAP) to++;
        const first = own[from]!;
        const read = await features.read(first, own[to - 1]! + 1);
        for (let i = from; i < to; i++) copyRow(read, own[i]! - first, out, i);
      }
      return { ...out, labels: takeLabels(labels, own) };
    },
  };
}

/** Values that are read at once where all of a set is read. */
const AT_ONCE = 2 ** 24;

/**
 * All rows of stored features as features in memory.
 *
 * @throws EvalsError `features` or `labels` where they are not as many or as wide as they say
 */
export async function inMemory(features: StoredProbeFeatures): Promise<ProbeFeatures> {
  checkSet('inMemory: features', features, STORED_PARTS);
  const { dim, labels } = features;
  const held = emptyRows(features, labels.length);
  for await (const [begin, rows] of rowsInOrder(features, AT_ONCE)) {
    rows.blocks.forEach((part, b) => {
      held.blocks[b]!.set(part, begin * dim);
    });
    if (rows.patchMean) held.patchMean!.set(rows.patchMean, begin * dim);
  }
  return { ...held, labels };
}

/** All rows in order, so many values at once at most, with the number of the first. */
async function* rowsInOrder(
  features: StoredProbeFeatures,
  values: number,
): AsyncGenerator<readonly [begin: number, rows: ProbeFeatures]> {
  const { length } = features.labels;
  const size = Math.max(1, Math.floor(values / rowWidth(features)));
  for (let begin = 0; begin < length; begin += size)
    yield [begin, await readRows(features, begin, Math.min(begin + size, length))];
}

/**
 * Rows as they are read, checked.
 *
 * @throws EvalsError `features` or `labels` where they are other rows than stated
 */
export async function readRows(features: StoredProbeFeatures, begin: number, end: number): Promise<ProbeFeatures> {
  const rows = await features.read(begin, end);
  checkSet(`rows ${begin} to ${end} of stored features`, rows, PROBE_PARTS);
  const { dim, blocks, patchMean } = shapeOf(rows);
  const parts = rows.patchMean ? [...rows.blocks, rows.patchMean] : rows.blocks;
  const isWhole = parts.every((part) => part.length === (end - begin) * features.dim);
  if (dim !== features.dim || blocks !== features.blocks || patchMean !== features.patchMean || !isWhole)
    throw new EvalsError(
      'features',
      `rows ${begin} to ${end} of stored features are not ${features.blocks} blocks ${features.patchMean ? 'with' : 'without'} a patch mean of ${features.dim} numbers each`,
    );
  // the reason is looked for where there is one
  if (!parts.every(areFinite)) checkProbeFeatures(rows);
  return rows;
}

/** A sum of zeros is one, unless a factor is not finite: the quickest look at many numbers. */
function areFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * values[i]!;
  return sum === 0;
}

type Tokens = Pick<ProbeFeatures, 'dim' | 'blocks' | 'patchMean'>;

function emptyRows({ dim, blocks, patchMean }: ProbeShape, rows: number): Tokens {
  const room = (): Float32Array => new Float32Array(rows * dim);
  return { dim, blocks: Array.from({ length: blocks }, room), ...(patchMean && { patchMean: room() }) };
}

/** Row `at` of `source` as row `to` of `target`. */
function copyRow(source: Tokens, at: number, target: Tokens, to: number): void {
  const { dim } = source;
  const copy = (from: Float32Array, into: Float32Array): void =>
    into.set(from.subarray(at * dim, (at + 1) * dim), to * dim);
  source.blocks.forEach((part, b) => {
    copy(part, target.blocks[b]!);
  });
  if (source.patchMean) copy(source.patchMean, target.patchMean!);
}
