/**
 * Low-shot segmentation: the same evaluation with some of the train images only, several times.
 *
 * Shares of train are drawn by the reference's seeds, but by draws of our own over the sorted names: where its very lists matter they are
 * given as files, a name a line. The smaller share of a seed is a part of the larger one.
 */
import { readFile } from 'node:fs/promises';
import { createRandom, permutation } from '@franca/data';
import type { Outcome } from '@franca/evals';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';

/** Some images of train, by number, and what they are called in the record. */
export interface Shot {
  readonly name: string;
  readonly images: readonly number[];
}

/** Shots whose results are reported as one mean. */
export interface ShotGroup {
  readonly variant: string;
  readonly shots: readonly Shot[];
  readonly seeds: readonly number[];
}

const SEEDS: readonly number[] = [42, 400, 783, 1293, 4019];

/** So many parts, of which one is taken: `1/8`. */
export function drawnShots(set: ImageSet, parts: readonly number[]): ShotGroup[] {
  const byName = Array.from({ length: set.length }, (_, index) => ({ index, name: set.key(index) }));
  byName.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  return parts.map((part) => ({
    variant: `1/${part} of train`,
    seeds: SEEDS,
    shots: SEEDS.map((seed) => {
      const order = permutation(set.length, createRandom({ seed, position: 0, stream: 0 }));
      const chosen = order.slice(0, Math.max(1, Math.round(set.length / part)));
      return { name: `seed ${seed}`, images: chosen.map((at) => byName[at]!.index).sort((a, b) => a - b) };
    }),
  }));
}

/**
 * The images named in files, a name a line, with or without its ending.
 * @throws TrainError `data` where a file names nothing, one twice, or what is not in the set
 */
export async function listedShots(set: ImageSet, files: readonly string[]): Promise<ShotGroup> {
  const known = new Map<string, number>();
  for (let index = 0; index < set.length; index++) {
    known.set(set.key(index), index);
    known.set(set.key(index).replace(/\.\w+$/, ''), index);
  }
  const shots = await Promise.all(
    files.map(async (file) => ({ name: file, images: imagesIn(await linesOf(file), file, set, known) })),
  );
  return { variant: files.length === 1 ? 'listed train' : `${files.length} lists of train`, shots, seeds: [] };
}

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new TrainError('data', `${file} cannot be read: ${cause.message}`, { cause });
  });
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function imagesIn(lines: readonly string[], file: string, set: ImageSet, known: ReadonlyMap<string, number>): number[] {
  const unknown = lines.filter((line) => !known.has(line));
  if (unknown.length > 0)
    throw new TrainError(
      'data',
      `${file}: ${unknown.length} of ${lines.length} names are no picture of ${set.dataset} ${set.split}, e.g. ${unknown[0]}; a line is a name such as ${set.key(0)}`,
    );
  const images = lines.map((line) => known.get(line)!);
  const twice = images.findIndex((image, at) => images.indexOf(image) !== at);
  if (twice >= 0) throw new TrainError('data', `${file} names ${lines[twice]} twice`);
  if (images.length === 0) throw new TrainError('data', `${file} names no picture`);
  return images.sort((a, b) => a - b);
}

/** One outcome for a group: the mean of its shots, each of them and their standard deviation beside it. */
export function meanOfShots({ variant, shots, seeds }: ShotGroup, outcomes: readonly Outcome[]): Outcome {
  const [first] = outcomes as readonly [Outcome, ...Outcome[]];
  const values = outcomes.map(({ value }) => value);
  const mean = meanOf(values);
  const deviation = Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1),
  );
  const each = Object.fromEntries(shots.map(({ name }, i) => [name, values[i]!]));
  return {
    ...first,
    variant,
    value: mean,
    others: values.length > 1 ? { ...each, 'standard deviation': deviation } : { ...first.others },
    perClass: first.perClass.map((_, c) =>
      outcomes.every(({ perClass }) => perClass[c] === null)
        ? null
        : meanOf(outcomes.map(({ perClass }) => perClass[c] ?? 0)),
    ),
    hyper: {
      ...first.hyper,
      memoryPatches: outcomes.map(({ hyper }) => hyper.memoryPatches!),
      trainImages: shots.map(({ images }) => images.length),
      lists: shots.map(({ name }) => name),
    },
    seeds: [...new Set([...seeds, ...first.seeds])],
    // of several draws there is no one result of an image
    ...(outcomes.length > 1 && { items: undefined }),
    wallMs: outcomes.reduce((sum, { wallMs }) => sum + wallMs, 0),
  };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
