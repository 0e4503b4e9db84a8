/**
 * What an evaluation may ask for: parts of data with their features. They are computed when first asked for and kept
 * for the others.
 */
import { type EvalBackend, type EvalRecord, evalRecord, type Outcome, paperDifferences } from '@franca/evals';
import { TrainError } from '../errors';
import type { HeadOfWeights } from '../features/find-head';
import { requirePatches, requireSides } from '../features/output-alone';
import { noRasa } from '../features/rasa-of-weights';
import { resamplingNote } from '../features/resampling-note';
import { type FeatureSession, sessionWith } from '../features/session';
import type { OpenBoxOptions } from '../image-sets/box-set';
import type { OpenDepthOptions } from '../image-sets/depth-layouts';
import { type ImageSet, openTestSet, requireClasses, requireLabels } from '../image-sets/image-set';
import type { DenseLook } from '../image-sets/preparation';
import { GIVE_MASKS, isSegmentationData } from '../image-sets/segmentation-set';
import { surveyMasks } from '../image-sets/survey-masks';
import type { OpenVideosOptions } from '../image-sets/video-layouts';
import { countProgress } from '../text/count-progress';
import { type DepthPart, depthPart } from './depth/depth-part';
import { type BoxPart, boxPart } from './discovery/box-part';
import { imageHasher } from './evaluated-images';
import { type HeadLevelOnTokens, openHeadLevel } from './head-level';
import { type ImagePart, type ImageRequest, imagePart } from './image-part';
import {
  type DensePart,
  type PairPart,
  type Part,
  pairPart,
  patchPart,
  type SegmentationPart,
  segmentationPart,
  type TokenStage,
} from './part';
import { type ProbeModel, probeModel } from './probe-file';
import {
  type ContextOptions,
  memo,
  openChosenBoxes,
  openChosenDepth,
  openChosenVideos,
  type SharedSets,
  shareSets,
} from './shared-sets';
import { type VideoPart, videoPart } from './video/video-part';

export type PartName = 'train' | 'test';

/** Asking for one part leaves the other alone. */
export interface EvalContext {
  readonly backend: EvalBackend;
  /** Rows and columns of patches that the model sees; for tasks without a model, the paper's 16 x 16. */
  readonly grid: readonly [rows: number, columns: number];
  /** Side of the model's input and of its patches, in pixels. @throws TrainError `usage` where there is no model */
  input(): { readonly size: number; readonly patchSize: number };
  /** CLS and mean patch tokens of any images, or what is asked for, on disk; the label of an image without a class is -1. Nothing is computed before it is read. */
  images(part: PartName, asked?: ImageRequest): Promise<ImagePart>;
  /** The same of images whose classes both parts have. @throws TrainError `data` before anything is computed where an image has none */
  labelled(part: PartName, asked?: ImageRequest): Promise<ImagePart>;
  /** The same of the part that choices may be made on; undefined where the data have none besides the tested one. */
  labelled(part: 'validation', asked?: ImageRequest): Promise<ImagePart | undefined>;
  /** The model with the features that are kept of it. @throws TrainError `usage` where there is none */
  session(): FeatureSession;
  /** The model, for what is kept of it. @throws TrainError `usage` where there is none */
  model(): ProbeModel;
  /**
   * What is tested on, of data that need have no part for training: the part that is asked for or that a run held out, else the test part, else `val`, else
   * all images. @throws TrainError `data` where some have no class
   */
  tested(): Promise<ImageSet>;
  /** Another test set, whole, called so in records. @throws TrainError `data` where an image has no class */
  testSet(data: string, name: string): Promise<ImageSet & AsyncDisposable>;
  /** Features of a set that was opened elsewhere. It is closed with the context, where it can be. */
  of(set: ImageSet & Partial<AsyncDisposable>, asked?: ImageRequest): ImagePart;
  /** Patch tokens of any images; `planes: 'left-in'`: those of RASA are not removed. */
  patches(part: PartName, planes?: 'removed' | 'left-in'): Promise<DensePart>;
  /** Whether planes of RASA are removed from patch tokens. */
  readonly hasPlanes: boolean;
  /** The projection head that patches were trained with. @throws TrainError `data` where these weights have none, or not for their tokens */
  head(): Promise<HeadOnTokens>;
  /** Patch tokens of pictures that are made of those that are tested on, with classes or without. */
  views<Set extends ImageSet>(make: MakeViews<Set>, stage?: TokenStage): Promise<DensePart & { readonly set: Set }>;
  /** Patch tokens with masks; `look`: how pictures are resized and normalised, default as everywhere. @throws TrainError `data` before anything is computed where there are none or they cannot be right */
  segmentation(part: PartName, look?: DenseLook): Promise<SegmentationPart>;
  /** Pairs of pictures with key points. @throws TrainError `data` before anything is computed where there are none or they cannot be right */
  pairs(split?: string): Promise<PairPart>;
  /** Pictures with boxes, and the model. @throws TrainError `data` where there are none or they cannot be right */
  boxes(options?: OpenBoxOptions): Promise<BoxPart>;
  /** Pictures with depth, and the model. @throws TrainError `data` where there are none or they cannot be right */
  depth(options?: OpenDepthOptions): Promise<DepthPart>;
  /** Videos with masks of objects, and the model. @throws TrainError `data` where there are none or they cannot be right */
  videos(options?: OpenVideosOptions): Promise<VideoPart>;
  /** Outcomes on a part as records. `total`: items of the whole part, in the outcome's own unit; default its images. `others`: what else was read. */
  records(
    part: Part,
    outcomes: readonly Outcome[],
    total?: (outcome: Outcome) => number,
    others?: readonly Part[],
  ): EvalRecord[];
}

/** A head, and its levels on patch tokens. */
export interface HeadOnTokens {
  readonly head: HeadOfWeights;
  /** One of its levels, counted from 0, to be disposed of. */
  level(index: number): Promise<HeadLevelOnTokens>;
}

/** Makes pictures of those of a set, which the model is shown `size` pixels a side; `resize` as in `ImageOptions`. */
export type MakeViews<Set extends ImageSet> = (
  set: ImageSet,
  input: { readonly size: number; readonly resize?: number | undefined },
) => Set;

/** Opens data as it is asked for. Close it when done, and `shared`, if it is given, after it. */
export function openContext(
  session: FeatureSession | undefined,
  backend: EvalBackend,
  options: ContextOptions,
  shared?: SharedSets,
): EvalContext & AsyncDisposable {
  const own = shareSets(options);
  const { sets, pairs, opened } = shared ?? own;
  const foreign: Partial<AsyncDisposable>[] = [];
  const model = (): FeatureSession => requireModel(session);
  const dense = (): FeatureSession => withPatches(model());
  const shown = (): FeatureSession => requirePictures(dense());
  const labelled = memo(async (kind: 'images') => requireLabels(await sets(kind)));
  const partsOf = memo((set: ImageSet) =>
    memo((asked: ImageRequest) => imagePart(model(), set, options, asked), requestKey),
  );
  const partOf = (set: ImageSet, asked: ImageRequest = {}) => partsOf(set)(asked);
  async function labelledPart(part: PartName, asked?: ImageRequest): Promise<ImagePart>;
  async function labelledPart(part: 'validation', asked?: ImageRequest): Promise<ImagePart | undefined>;
  async function labelledPart(part: PartName | 'validation', asked?: ImageRequest): Promise<ImagePart | undefined> {
    const { [part]: set } = await labelled('images');
    return set && partOf(set, asked);
  }
  async function testSet(data: string, name: string): Promise<ImageSet & AsyncDisposable> {
    const set = await openTestSet(data, { limit: options.images.test, name });
    const named = { ...requireClasses(set), [Symbol.asyncDispose]: set[Symbol.asyncDispose] };
    foreign.push(named);
    return named;
  }
  const tested = memo(async (_: 'images'): Promise<ImageSet> => {
    const { data, dataset: name, heldOut, split, features } = options;
    if (heldOut || split || features) return (await sets('images')).test;
    const set = await openTestSet(data, { limit: options.images.test, name });
    foreign.push(set);
    return set;
  });
  const testedLabelled = memo(async (_: 'images') => requireClasses(await tested('images')));
  /** Notes on a part and on the other one that it was opened with. */
  const notesAround = (set: ImageSet): readonly string[] => {
    const both = opened.find(({ train, test }) => train.notes === set.notes || test.notes === set.notes);
    return both ? [...both.train.notes, ...both.test.notes] : set.notes;
  };
  const masked = memo(async ({ part, look }: { readonly part: PartName; readonly look: DenseLook }) => {
    const { size, requires } = model();
    requires?.({ preparation: { kind: 'squash', size, ...look }, patches: true });
    const { [part]: set } = await sets('dense').catch(async (error) => {
      // what is wrong with it as pictures alone is beside the point
      throw (await isSegmentationData(options.denseData).catch(() => true)) ? error : noMasks(options, error);
    });
    if (set.ignore === undefined) throw noMasks(options);
    const { update, end } = countProgress(`masks of ${set.dataset} ${set.split}`, { items: 'masks', unit: 'masks' });
    const reading = { ...options.masks, nearest: look.nearest };
    const survey = await surveyMasks(set, dense().size, reading, (done, total) => update(done, total, false));
    end();
    return segmentationPart(model(), survey, look);
  }, JSON.stringify);

  return {
    backend,
    grid: session ? gridOf(session) : [16, 16],
    input: () => ({ size: model().size, patchSize: model().model.config.patchSize }),
    images: async (part, asked) => partOf((await sets('images'))[part], asked),
    labelled: labelledPart,
    session: model,
    model: () => probeModel(model()),
    tested: () => testedLabelled('images'),
    testSet,
    of(set, asked) {
      if (!foreign.includes(set)) foreign.push(set);
      return imagePart(model(), set, options, asked);
    },
    hasPlanes: (session?.weights.rasa.planes.length ?? 0) > 0,
    async patches(part, planes = 'removed') {
      const { [part]: set } = await sets('dense');
      if (planes === 'removed') return patchPart(dense(), set);
      const plain = sessionWith(dense(), noRasa);
      return { ...patchPart(plain, set), weights: plain.weights };
    },
    async head() {
      const opened = await headOnTokens(model());
      foreign.push(opened.head);
      return opened;
    },
    async views(make, stage) {
      const set = make(await tested('images'), { size: shown().size, resize: options.resize });
      return { ...patchPart(dense(), set, stage), set };
    },
    segmentation: (part, look = {}) => masked({ part, look }),
    pairs: async (split) => pairPart(dense(), await pairs(split)),
    boxes: async (chosen) => boxPart(wholePictures(dense()), await openChosenBoxes(options, foreign, chosen)),
    depth: async (chosen) =>
      depthPart(shown(), await openChosenDepth(options, foreign, { side: worldSide(model()), ...chosen })),
    videos: async (chosen) =>
      videoPart(wholePictures(dense()), await openChosenVideos(options, { side: worldSide(model()), ...chosen })),
    records({ set, preprocessing, size, weights = model().weights }, outcomes, total = () => set.total, others = []) {
      const { leftOut, size: own, origin } = model();
      const { name } = weights;
      const { dataset, split } = set;
      const subject = { dataset, split, features: name, preprocessing: origin?.preprocessing ?? preprocessing };
      const foreign = others.map((other) => other.set);
      const withImages = imageHasher(set, foreign, leftOut);
      const circumstances = [
        ...new Set([
          ...notesAtSize({ weights, size: own }, size),
          ...notesAround(set),
          ...others.flatMap((other) => other.set.notes),
          ...leftOut.notes([dataset, ...others.map((other) => other.set.dataset)]),
        ]),
      ];
      return outcomes.map((outcome) => {
        const whole = { ...withImages(outcome), total: total(outcome) };
        const differences = paperDifferences({ ...whole, dataset });
        return evalRecord({ ...subject, notes: [...circumstances, ...differences] }, whole);
      });
    },
    async [Symbol.asyncDispose]() {
      await own[Symbol.asyncDispose]();
      for (const set of foreign) await set[Symbol.asyncDispose]?.();
    },
  };
}

function requireModel(session: FeatureSession | undefined): FeatureSession {
  if (session) return session;
  throw new TrainError('usage', 'this evaluation needs a model; give --weights');
}

const noMasks = ({ denseData }: ContextOptions, cause?: unknown): TrainError =>
  new TrainError('data', `${denseData} has no masks; ${GIVE_MASKS}`, { cause });

/** The model, for what reads patch tokens. */
function withPatches(session: FeatureSession): FeatureSession {
  requirePatches(session.weights);
  return session;
}

/** The model, for inputs of the pictures' own sizes. What files have is looked at picture by picture. */
function wholePictures(session: FeatureSession): FeatureSession {
  if (!session.origin) requireSides(session.weights, undefined);
  return session;
}

/** @throws TrainError `data` where features are of pictures that others cannot be made of */
function requirePictures(session: FeatureSession): FeatureSession {
  if (!session.origin) return session;
  throw new TrainError(
    'data',
    'features from files are of pictures as they are, and this evaluation makes others of them; give the weights themselves',
  );
}

/** @throws TrainError `data` where the weights have no head, or not for their tokens */
async function headOnTokens({ gpu, weights }: FeatureSession): Promise<HeadOnTokens> {
  if (weights.rasa.folded)
    throw new TrainError(
      'data',
      'RASA is folded into these weights, and heads are for tokens with position in them; give the weights that it was fitted on',
    );
  const head = await weights.head();
  return { head, level: (index) => openHeadLevel(gpu, head, index) };
}

/** Videos and depth of the generated world have as many tokens a side for every model as 224 px have of the usual patches of 14. */
const worldSide = ({ model }: FeatureSession): number => 16 * model.config.patchSize;

/** Notes on the weights, with that on resampled positions for this side of the input. */
function notesAtSize(
  { weights, size: own }: Pick<FeatureSession, 'weights' | 'size'>,
  size: number | string = own,
): readonly string[] {
  if (size === own) return weights.notes;
  const [there, here] = [own, size].map((side) => resamplingNote(weights, side));
  return [...weights.notes.filter((note) => note !== there), ...(here ? [here] : [])];
}

function gridOf({ size, model }: FeatureSession): [number, number] {
  const side = size / model.config.patchSize;
  return [side, side];
}

/** What is kept for it. */
const requestKey = ({ blocks = 1, patchMean = true, resize }: ImageRequest): string =>
  JSON.stringify([blocks, patchMean, resize]);
