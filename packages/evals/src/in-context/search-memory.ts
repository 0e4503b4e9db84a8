/**
 * The most similar memory patches of all test patches. The memory streams by once, as making it may be costly. Test
 * patches that fit in memory are searched for as it comes. Of more, the memory is taken in stretches, as long as fit, and
 * the test images are read part by part for each of them; what was found for a part goes on with the next stretch. Both
 * ways give the same bits.
 */
import type { EvalBackend, TopK } from '../backend/eval-backend';
import { checkOption, EvalsError } from '../errors';
import type { Matrix } from '../matrix';
import { type ProgressKeeper, type SavedProgress, savedArray } from '../progress';
import { type LabelMemory, type LabelMemoryBuilder, labelMemory } from './label-memory';
import type { MemoryBatch, MemoryPlace } from './memory-batches';
import type { TestPart } from './test-parts';

/** How far a search is. */
export interface MemorySearch {
  readonly place: MemoryPlace;
  /** Memory patches that were searched. */
  readonly rows: number;
  /** Neighbours of the patches of each part of test. */
  readonly found: readonly TopK[];
}

const NOTHING_SEARCHED: MemorySearch = { place: { next: 0, images: 0, draws: 0 }, rows: 0, found: [] };

export interface SearchOptions {
  readonly backend: EvalBackend;
  readonly k: number;
  readonly labels: LabelMemoryBuilder;
  readonly progress: ProgressKeeper | undefined;
  /** Told how many train images were searched. */
  readonly onSearched: ((images: number) => void) | undefined;
}

/** For test patches that are all held. */
export async function searchHeld(
  { queries }: TestPart,
  memory: AsyncIterable<MemoryBatch>,
  before: MemorySearch,
  { backend, k, labels, progress, onSearched }: SearchOptions,
): Promise<MemorySearch> {
  using search = backend.openTopK(queries, k);
  let { place, rows } = before;
  if (rows > 0) search.load(before.found[0]!, rows);
  for await (const batch of memory) {
    for (const [i, image] of batch.images.entries()) {
      await search.add(image);
      rows += image.rows;
      onSearched?.(batch.place.images - batch.images.length + i + 1);
    }
    place = batch.place;
    if (progress?.due()) await progress.save(savedSearch({ place, rows, found: [await search.result()] }, labels));
  }
  return { place, rows, found: [await search.result()] };
}

/** For test patches that are read in parts, for each stretch of so many memory patches. */
export async function searchInParts(
  test: () => AsyncIterable<TestPart>,
  memory: AsyncIterable<MemoryBatch>,
  before: MemorySearch,
  { stretch, backend, k, labels, progress, onSearched }: SearchOptions & { readonly stretch: number },
): Promise<MemorySearch> {
  let searched = before;
  for await (const { images, place, rows } of stretches(memory, stretch)) {
    const found: TopK[] = [];
    for await (const { queries } of test()) {
      using search = backend.openTopK(queries, k);
      const known = searched.found[found.length];
      if (searched.rows > 0) search.load(known ?? otherTest(), searched.rows);
      for (const image of images) await search.add(image);
      found.push(await search.result());
    }
    if (found.length === 0 || (searched.rows > 0 && found.length !== searched.found.length)) otherTest();
    searched = { place, rows: searched.rows + rows, found };
    onSearched?.(place.images);
    if (progress?.due()) await progress.save(savedSearch(searched, labels));
  }
  return searched;
}

/** @throws EvalsError `features` */
export function otherTest(): never {
  throw new EvalsError(
    'features',
    'the test images could not be read again; pass an array of batches, not a generator',
  );
}

/** Whole batches of at least so many patches together, but for the last. */
async function* stretches(memory: AsyncIterable<MemoryBatch>, patches: number) {
  let images: Matrix[] = [];
  let rows = 0;
  let place: MemoryPlace | undefined;
  for await (const batch of memory) {
    for (const image of batch.images) images.push(image);
    rows += batch.images.reduce((sum, image) => sum + image.rows, 0);
    place = batch.place;
    if (rows < patches) continue;
    yield { images, rows, place };
    [images, rows] = [[], 0];
  }
  if (rows > 0) yield { images, rows, place: place! };
}

const savedSearch = ({ place, rows, found }: MemorySearch, labels: LabelMemoryBuilder): SavedProgress => {
  const { starts, entries, shares } = labels.build();
  const parts = found.flatMap(({ scores, indices }, i) => [
    [`scores ${i}`, scores] as const,
    [`indices ${i}`, indices] as const,
  ]);
  const sizes = found.map(({ scores }) => scores.length);
  return {
    state: { ...place, rows, sizes, entries: entries.length },
    arrays: { starts, entries: Uint32Array.from(entries), shares, ...Object.fromEntries(parts) },
  };
};

/**
 * A search that was saved, and its labels.
 *
 * @throws EvalsError `options` where it is of another computation
 */
export function readSearch(
  saved: SavedProgress | undefined,
  k: number,
  classes: number,
): { readonly search: MemorySearch; readonly labels: LabelMemoryBuilder } {
  if (!saved) return { search: NOTHING_SEARCHED, labels: labelMemory(classes) };
  const { sizes, ...counts } = (saved.state ?? {}) as { readonly [name: string]: unknown };
  const [next, images, draws, rows, used] = ['next', 'images', 'draws', 'rows', 'entries'].map((name) => {
    const count = counts[name];
    checkOption(
      Number.isSafeInteger(count) && Number(count) >= 0,
      `inContextSegmentation: the saved progress has ${name} ${count}; it is of another computation: delete it`,
    );
    return Number(count);
  }) as [number, number, number, number, number];
  checkOption(Array.isArray(sizes), 'inContextSegmentation: the saved progress is of another computation; delete it');
  const found = (sizes as number[]).map((size, i) => ({
    k: Math.min(k, rows),
    scores: savedArray(saved, `scores ${i}`, Float32Array, size),
    indices: savedArray(saved, `indices ${i}`, Int32Array, size),
  }));
  const labels: LabelMemory = {
    rows,
    classes,
    starts: savedArray(saved, 'starts', Uint32Array, rows + 1),
    entries: Uint16Array.from(savedArray(saved, 'entries', Uint32Array, used)),
    shares: savedArray(saved, 'shares', Float32Array, used),
  };
  return { search: { place: { next, images, draws }, rows, found }, labels: labelMemory(classes, labels) };
}
