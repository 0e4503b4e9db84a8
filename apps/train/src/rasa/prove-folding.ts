/** The proof that a folded checkpoint is the projected model: both run on the same images, and are compared. */
import { openCheckpoint, splitOfficial } from '@franca/checkpoint';
import { isImageError, type PixelImage } from '@franca/data';
import { type EvalRecord, evalRecord } from '@franca/evals';
import { removePlanes } from '@franca/rasa';
import { loadVit } from '@franca/vit';
import { TrainError } from '../errors';
import { openWeights } from '../features/open-weights';
import type { Weights } from '../features/weights';
import { planesOf } from '../features/rasa-of-weights';
import type { FeatureSession } from '../features/session';
import type { ImageSet } from '../image-sets/image-set';
import { describePreparation, prepare } from '../image-sets/preparation';

export interface FoldingProof {
  readonly images: number;
  readonly values: number;
  /** Largest difference between folded and projected patches, and largest projected value. */
  readonly difference: number;
  readonly largest: number;
  /** Largest difference of CLS tokens, which must not change. */
  readonly clsDifference: number;
  readonly wallMs: number;
}

/** Rounding of f32 through one more product; anything beyond is a wrong fold. */
const TOLERANCE = 1e-4;

/**
 * Reads both files back and runs them on images of `set`.
 * @throws TrainError `run` where they differ by more than rounding
 */
export async function proveFolding(
  session: FeatureSession,
  set: ImageSet,
  files: { readonly headsFile: string; readonly foldedFile: string },
): Promise<FoldingProof> {
  const started = performance.now();
  const { gpu, size, weights, model } = session;
  const pictures = await readableImages(set, 4);
  const images = pictures.length;
  const data = new Float32Array(images * 3 * size * size);
  const length = 3 * size * size;
  for (const [i, picture] of pictures.entries())
    prepare(picture, { kind: 'squash', size }, data.subarray(i * length, (i + 1) * length));
  const batch = { data, shape: [images, 3, size, size] as const };
  const before = await model.run(batch, { patches: true });
  await using heads = await openCheckpoint(files.headsFile);
  const projected = before.patches;
  const { embedDim: D } = weights.config;
  removePlanes(projected, D, await planesOf(splitOfficial(heads).parts.rasa_head, D));

  await using folded = await openWeights(files.foldedFile);
  using foldedModel = await loadVit(
    gpu,
    { config: folded.config, weights: folded.read },
    { finalLayer: folded.rasa.folded },
  );
  const after = await foldedModel.run(batch, { patches: true });
  const proof = {
    images,
    values: projected.length,
    difference: largestDifference(after.patches, projected),
    largest: projected.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    clsDifference: largestDifference(after.cls, before.cls),
    wallMs: performance.now() - started,
  };
  if (proof.difference > TOLERANCE * proof.largest || proof.clsDifference > TOLERANCE * proof.largest)
    throw new TrainError(
      'run',
      `the folded model differs from the projected one by ${proof.difference}; this is a bug`,
    );
  return proof;
}

/** The first `count` images that can be read. */
async function readableImages(set: ImageSet, count: number): Promise<PixelImage[]> {
  const images: PixelImage[] = [];
  for (let index = 0; index < set.length && images.length < count; index++) {
    const image = await set.read(index).catch((error: unknown) => {
      if (!isImageError(error)) throw error;
    });
    if (image) images.push(image);
  }
  return images;
}

/** The proof as a record. The weights are those before folding. */
export function foldingRecord(
  set: ImageSet,
  { name, notes }: Pick<Weights, 'name' | 'notes'>,
  size: number,
  proof: FoldingProof,
): EvalRecord {
  const { images, values, difference, largest, clsDifference, wallMs } = proof;
  const preprocessing = describePreparation({ kind: 'squash', size });
  return evalRecord(
    { dataset: set.dataset, split: set.split, features: `${name} + RASA folded`, preprocessing, notes },
    {
      task: 'rasa-folding',
      protocol: 'after-final-norm',
      variant: '',
      evaluated: values,
      total: (values / images) * set.total,
      metric: 'largest difference from projected patches / largest value',
      value: difference / largest,
      unit: 'number',
      others: { difference, 'largest value': largest, 'CLS difference': clsDifference },
      perClass: [],
      hyper: { tolerance: TOLERANCE },
      selectedOn: 'nothing',
      seeds: [],
      quirks: false,
      wallMs,
    },
  );
}

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
