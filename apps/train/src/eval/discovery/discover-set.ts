/**
 * Objects found in the pictures of a set: one forward pass of each whole picture, and every setting on its features.
 *
 * Pictures come in the order of their padded sizes, so that each size is compiled once, and one at a time, so that memory is bounded. Features of whole
 * pictures would fill a disk; what is found is small, and is kept in the cache chunk by chunk: a run that was stopped goes on.
 */
import { type PixelImage, prefetch } from '@franca/data';
import type { Discovery } from '@franca/evals';
import { TrainError } from '../../errors';
import { readOrLeaveOut } from '../../features/compute-shard';
import type { FeatureSession } from '../../features/session';
import { keyOfSet } from '../../features/shard-files';
import type { PictureSize } from '../../image-sets/box-layout';
import { type BoxSet, chosenBoxes } from '../../image-sets/box-set';
import { paddedGrid, prepareWhole, WHOLE_PICTURE } from '../../image-sets/whole-picture';
import { countProgress } from '../../text/count-progress';
import { planesText } from '../planes-text';
import { discover } from './discover';
import { type PictureFeatures, type PictureRequest, requestOf } from './picture-features';
import type { Setting } from './settings';

/** To be raised whenever the same features and settings give other boxes than before, so that no older ones are taken for them. */
const DISCOVERY = 1;

/** Pictures whose results make a file of the cache: at most so many are lost by a stop. */
const CHUNK = 32;

type Cells = readonly [row0: number, column0: number, row1: number, column1: number];

/** What one setting found in a picture, as it is kept. */
export interface Found {
  /** Half-open box in patches. */
  readonly cells: Cells;
  readonly seed: number;
  /** Seeds of the same rank, by the rule the first of them. */
  readonly tiedSeeds: number;
  /** Boxes of the other ways to resolve ties. */
  readonly otherCells: readonly Cells[];
  readonly detail: Readonly<Record<string, number>>;
}

export interface PictureFound {
  /** In the set that it belongs to. */
  readonly index: number;
  /** Of the picture as it was decoded. */
  readonly size: PictureSize;
  /** One for each setting. */
  readonly found: readonly Found[];
}

/** Pictures of a set in which objects were looked for, in the order of the padded sizes; unreadable ones are left out. */
export interface DiscoveredSet {
  readonly set: BoxSet;
  /** Of each picture of the set, as it is written beside the boxes or in the header. */
  readonly sizes: readonly PictureSize[];
  readonly settings: readonly Setting[];
  readonly pictures: readonly PictureFound[];
}

/** @throws DataError `too-many-bad-images`; TrainError `data` where a picture fails in a way that may pass */
export async function discoverSet(
  session: FeatureSession,
  unordered: BoxSet,
  settings: readonly Setting[],
): Promise<DiscoveredSet> {
  const { set, sizes } = await inOrderOfSize(unordered, session.model.config.patchSize);
  const { cache, versions, leftOut } = session.extraction;
  const progress = countProgress(`objects in ${set.dataset} ${set.split}`, { items: 'pictures', unit: 'pictures' });
  const pictures: PictureFound[] = [];
  for (let first = 0; first < set.length; first += CHUNK) {
    const end = Math.min(first + CHUNK, set.length);
    const common = await keyOfSet(session.extraction, set);
    const key = {
      ...common,
      preprocessing: WHOLE_PICTURE,
      data: await versions(set, first, end),
      code: `${common.code}, discovery ${DISCOVERY}`,
      outputs: `objects by ${JSON.stringify(settings)}${planesText(session)}`,
      items: [first, end],
    };
    const onDone = (done: number): void => progress.update(done, set.length, false);
    const { arrays, cached } = await cache.readOrCompute(key, async () => {
      const found = await computeChunk(session, set, settings, { first, end, onDone });
      const data = new TextEncoder().encode(JSON.stringify(found));
      return { found: { shape: [data.length], data } };
    });
    progress.update(end, set.length, cached);
    const found = JSON.parse(new TextDecoder().decode(arrays.found!.data as Uint8Array)) as readonly PictureFound[];
    for (const picture of found) pictures.push(picture);
    const read = new Set(found.map(({ index }) => index));
    for (let index = first; index < end; index++) if (!read.has(index)) leftOut.add(set, index);
  }
  progress.end();
  const note = leftOut.note(set);
  if (note !== undefined) console.error(`note: ${note}`);
  return { set, sizes, settings, pictures };
}

/** Everything that is known of one picture. */
export interface LookedAt {
  readonly image: PixelImage;
  readonly grid: readonly [rows: number, columns: number];
  /** One for each setting. */
  readonly found: readonly Discovery[];
}

/** The same for one picture with its maps, for figures: nothing of it is kept. */
export async function discoverPicture(
  session: FeatureSession,
  set: BoxSet,
  index: number,
  settings: readonly Setting[],
): Promise<LookedAt> {
  const request = requestOf(settings);
  const image = await set.read(index);
  const features = await passOf(session, { set, index, image }, request);
  if (!features) throw new TrainError('data', `${set.key(index)} of ${set.dataset} has no features`);
  const { planes } = session.weights.rasa;
  return { image, grid: features.grid, found: discover(features, request, settings, planes) };
}

/** Of features from files, whose output alone was asked for; undefined where they have not got the picture. */
async function passOf(
  { model, origin }: FeatureSession,
  { set, index, image }: { readonly set: BoxSet; readonly index: number; readonly image: PixelImage },
  request: PictureRequest,
): Promise<PictureFeatures | undefined> {
  const { patchSize } = model.config;
  if (!origin) return model.run(prepareWhole(image, patchSize), request);
  const [rows, columns] = paddedGrid(image, patchSize);
  const own = await origin.whole(set, index, [rows * patchSize, columns * patchSize], WHOLE_PICTURE);
  return (
    own && {
      ...own,
      heads: 1,
      prefixTokens: 0,
      blockPatches: request.blockPatches.map(() => own.patches),
      blockQkv: [],
    }
  );
}

async function computeChunk(
  session: FeatureSession,
  set: BoxSet,
  settings: readonly Setting[],
  { first, end, onDone }: { readonly first: number; readonly end: number; readonly onDone: (done: number) => void },
): Promise<PictureFound[]> {
  const request = requestOf(settings);
  const onLeftOut = (index: number, reason: string): void => session.leftOut.add(set, index, reason);
  const pass = async (index: number, signal: AbortSignal) => {
    const image = await readOrLeaveOut(set, index, { signal, onLeftOut });
    if (!image) return undefined;
    const size = { width: image.width, height: image.height };
    const features = await passOf(session, { set, index, image }, request);
    return features && { index, size, features };
  };
  const pictures: PictureFound[] = [];
  const indices = Array.from({ length: end - first }, (_, i) => first + i);
  // the device is at the next picture while this processor looks for objects in one
  for await (const passed of prefetch(indices, pass, { inFlight: 1, ahead: 2 })) {
    if (!passed) continue;
    const { index, size, features } = passed;
    const found = discover(features, request, settings, session.weights.rasa.planes).map(kept);
    pictures.push({ index, size, found });
    onDone(index + 1);
  }
  return pictures;
}

const kept = ({ cells, seed, tiedSeeds, otherCells, detail }: Discovery): Found => ({
  cells,
  seed,
  tiedSeeds: tiedSeeds.length,
  otherCells,
  detail,
});

async function inOrderOfSize(set: BoxSet, patchSize: number): Promise<Pick<DiscoveredSet, 'set' | 'sizes'>> {
  const indices = Array.from({ length: set.length }, (_, index) => index);
  const sizes: PictureSize[] = [];
  for await (const size of prefetch(indices, (index) => set.size(index), { inFlight: 16 })) sizes.push(size);
  const grids = sizes.map((size) => paddedGrid(size, patchSize));
  indices.sort((a, b) => grids[a]![0] - grids[b]![0] || grids[a]![1] - grids[b]![1] || a - b);
  return { set: chosenBoxes(set, indices), sizes: indices.map((index) => sizes[index]!) };
}
