/**
 * `rasa --protocol paper`: RASA as it was trained, on random views that go through the backbone anew in every pass.
 *
 * Nine planes chained, each of the weights of a head (`OFFICIAL_RECIPE`), which is trained by AdamW for five passes over PASCAL VOC's trainaug in batches of 128
 * at 2e-4, falling by a cosine; images in the order of the list, the last incomplete batch left out. Beside these passes there is one before the first plane, for
 * least squares, and one after each, to judge its head; the program has neither.
 */
import { type FitOptions, fitRasa, OFFICIAL_RECIPE, type PatchFeatures, type RasaFit } from '@franca/rasa';
import { TrainError } from '../errors';
import { deviating, type Followed, follow, learntFrom, type PaperProtocol } from '../eval/paper-protocol';
import { densePart } from '../features/collect';
import type { FeatureSession } from '../features/session';
import type { ImageSet } from '../image-sets/image-set';

export interface PaperRasaValues {
  readonly planes: number;
  readonly epochs: number;
  readonly trainBatch: number;
  readonly lr: number;
  readonly minR2: number;
  readonly augment: boolean;
}

export const PAPER_RASA: PaperProtocol<PaperRasaValues> = {
  size: 518,
  values: { planes: 9, epochs: 5, trainBatch: 128, lr: 2e-4, minR2: 0, augment: true },
  look: { filter: 'bilinear', statistics: 'hummingbird' },
  differs: [
    'random numbers are drawn otherwise than in the reference',
    'R2 is read from pictures as they are, squashed, as everywhere here; the reference reads the error at 224 px',
  ],
};

const PAPER_DATA = 'voc-2012';

/** What is set, printed and noted, once the training part is known. @throws TrainError `usage` where its images do not fill a batch */
export function followPaper(
  { size, model }: Pick<FeatureSession, 'size' | 'model'>,
  set: ImageSet,
  given: Partial<PaperRasaValues>,
): Followed<PaperRasaValues> {
  const asked = { task: 'rasa', paper: PAPER_RASA, given, input: { size, patchSize: model.config.patchSize } };
  const followed = follow({ ...asked, protocol: 'paper' });
  const { trainBatch = PAPER_RASA.values.trainBatch } = followed.values;
  if (set.length < trainBatch)
    throw new TrainError(
      'usage',
      `${set.length} images do not fill a batch of ${trainBatch}, and the last incomplete batch is left out; give more images, or --train-batch ${Math.max(1, Math.floor(set.length / 8))}`,
    );
  if (set.dataset === PAPER_DATA) return learntFrom(followed, 'rasa', set);
  const others = `${set.length} images of ${set.dataset} ${set.split} in place of ${PAPER_DATA} trainaug`;
  return deviating(followed, 'rasa', others);
}

/** The published recipe with these values. */
export const paperRecipe = ({ planes, epochs, trainBatch, lr, minR2 }: PaperRasaValues): FitOptions => ({
  ...OFFICIAL_RECIPE,
  iterations: planes,
  epochs,
  batchSize: trainBatch,
  lr,
  minR2,
});

/** What it costs, in one line. */
export function costOfViews(images: number, size: number, { planes, epochs }: PaperRasaValues): string {
  const passes = 1 + planes * (epochs + 1);
  return (
    `plan: ${passes} passes of ${images} images at ${size} px, ${passes * images} in all: one for least squares, then for each of ` +
    `${planes} planes ${epochs} to train its head and one to judge it`
  );
}

/** Images of one pass that are held at a time; a batch is filled from several. */
const AT_ONCE = 32;
const SEED = 0;

/** Planes for random views of the images of `set`, drawn anew in every pass; a fit that is repeated sees the same ones. */
export async function fitOnViews(session: FeatureSession, set: ImageSet, values: PaperRasaValues): Promise<RasaFit> {
  const { size } = session;
  const { statistics } = PAPER_RASA.look ?? {};
  const images = Array.from({ length: set.length }, (_, index) => index);
  let passes = 0;
  async function* views(pass: number): AsyncGenerator<PatchFeatures> {
    const preparation = {
      kind: 'random-view',
      size,
      draw: { seed: SEED, pass },
      ...(statistics && { statistics }),
    } as const;
    const request = { preparation, patches: true, images, perShard: Math.min(AT_ONCE, values.trainBatch) };
    for await (const shard of session.fresh(set, request, `pass ${pass + 1}`)) yield densePart(shard, []);
  }
  return fitRasa(session.gpu, () => views(passes++), paperRecipe(values));
}
