/**
 * Sequences as a layout lists them, made ready: what their first masks and the headers of the others say.
 *
 * What cannot be followed is left out and told: sequences of one frame, without a mask of the first frame or without an object in it. What would be scored
 * wrongly is refused: masks of other sizes than their frames or of colours, frames that are not there.
 */
import { decodeImage, type FileTree, isImageError, prefetch } from '@franca/data';
import { scoredFrames, type VideoScoring } from '@franca/evals';
import sharp from 'sharp';
import { TrainError } from '../errors';
import { some } from './judge-masks';
import { readMask } from './read-mask';
import type { FrameMask, VideoObject, VideoSequence, VideoSet } from './video-set';

/** Paths in the tree. */
export interface ListedFrame {
  readonly name: string;
  readonly picture: string;
  readonly mask: string | undefined;
}

export interface ListedSequence {
  readonly name: string;
  /** In the order of time. */
  readonly frames: readonly ListedFrame[];
  /** Objects with the name of the frame that they are given in; absent: those of the first frame's mask. */
  readonly objects?: readonly { readonly id: number; readonly first: string }[] | undefined;
}

/** What a layout has found. */
export interface ListedVideos {
  /** The data set's own name, where its folders tell. */
  readonly dataset?: string | undefined;
  readonly split: string;
  readonly sequences: readonly ListedSequence[];
  readonly scoring: VideoScoring;
  readonly notes: readonly string[];
}

/** Which sequences are meant: so many, evenly spaced, or these. */
export type ChosenSequences = number | readonly string[];

/** Background, and what is not scored: neither is an object. */
const NO_OBJECT: ReadonlySet<number> = new Set([0, 255]);

/** Bytes that hold the size in a PNG, to its end with the kind of its colours. */
const PNG_HEADER = 29;

/**
 * The sequences that objects can be followed in.
 * @throws TrainError `data` where there is none, or masks do not belong to their frames; `usage` where a sequence that is asked for does not exist
 */
export async function videoSet(
  tree: FileTree,
  listed: ListedVideos,
  { dataset, chosen }: { readonly dataset: string; readonly chosen?: ChosenSequences | undefined },
): Promise<VideoSet> {
  const where = `${tree.name} ${listed.split}`;
  const total = listed.sequences.length;
  const meant = chooseSequences(listed.sequences, chosen, where);
  const short = meant.filter(({ frames }) => frames.length < 2);
  const long = meant.filter(({ frames }) => frames.length >= 2);
  const unmasked = long.filter(({ frames }) => frames[0]!.mask === undefined);
  const masked = long.filter(({ frames }) => frames[0]!.mask !== undefined);
  const opened: VideoSequence[] = [];
  const empty: string[] = [];
  let lost = 0;
  for await (const { sequence, absent } of prefetch(masked, (one) => openSequence(tree, one), { inFlight: 4 })) {
    lost += absent;
    if (sequence.objects.some(({ first }) => first === 0)) opened.push(sequence);
    else empty.push(sequence.name);
  }
  const names = (some: readonly ListedSequence[]): string[] => some.map(({ name }) => name);
  const left = [
    ...noteOn(names(short), 'have less than two frames and are left out'),
    ...noteOn(names(unmasked), 'have no mask of their first frame and are left out'),
    ...noteOn(empty, 'have no object in the mask of their first frame and are left out'),
  ];
  if (opened.length === 0)
    throw new TrainError(
      'data',
      `${where} has no sequence with an object to follow: ${left.join('; ') || 'none is there'}`,
    );
  const unscored = opened.filter((one) => scoredObjects(one, listed.scoring).length === 0).map(({ name }) => name);
  const gaps = meant.filter(hasGap);
  const notes = [
    ...tree.notes,
    ...listed.notes,
    ...usedNote(meant.length, total, where),
    ...left,
    ...(lost > 0 ? [`${lost} objects have no pixel in the mask that is to give them and are left out`] : []),
    ...noteOn(unscored, 'have no masks to score against: objects are followed, nothing is scored'),
    ...noteOn(names(gaps), 'have gaps between the numbers of their frames, which are taken as following each other'),
  ];
  return { dataset, split: listed.split, sequences: opened, scoring: listed.scoring, total, notes };
}

/**
 * Frames whose masks are the truth about all objects: none where every mask gives an object that was not there before, as in parts that are kept for a
 * challenge.
 */
function annotatedFrames({ frames, objects, hasMask }: VideoSequence): number[] {
  const masked = Array.from(frames.keys()).filter((frame) => hasMask(frame));
  return masked.every((frame) => objects.some(({ first }) => first === frame)) ? [] : masked;
}

/** Objects and the frames that they are scored on; those without any are left out. */
export const scoredObjects = (sequence: VideoSequence, scoring: VideoScoring): { id: number; frames: number[] }[] => {
  const annotated = annotatedFrames(sequence);
  return sequence.objects
    .map(({ id, first }) => ({
      id,
      frames: scoredFrames(scoring, { frames: sequence.frames.length, first, annotated }),
    }))
    .filter(({ frames }) => frames.length > 0);
};

export const usedNote = (used: number, total: number, where: string): string[] =>
  used < total ? [`${used} of ${total} sequences of ${where} are used`] : [];

const noteOn = (names: readonly string[], what: string): string[] =>
  names.length > 0 ? [`${names.length} sequences ${what}: ${some(names)}`] : [];

/** @throws TrainError `usage` where one that is asked for does not exist */
export function chooseSequences<Sequence extends { readonly name: string }>(
  sequences: readonly Sequence[],
  chosen: ChosenSequences | undefined,
  where: string,
): readonly Sequence[] {
  if (chosen === undefined) return sequences;
  if (typeof chosen === 'number') {
    const count = Math.min(chosen, sequences.length);
    return Array.from({ length: count }, (_, i) => sequences[Math.floor((i * sequences.length) / count)]!);
  }
  const unknown = chosen.filter((name) => !sequences.some((sequence) => sequence.name === name));
  if (unknown.length > 0)
    throw new TrainError(
      'usage',
      `${where} has no sequence ${some(unknown)}; it has ${some(sequences.map(({ name }) => name))}`,
    );
  return sequences.filter(({ name }) => chosen.includes(name));
}

/** Numbers that are not evenly spaced: frames are missing in between. */
function hasGap({ frames }: ListedSequence): boolean {
  const numbers = frames.map(({ name }) => (/^\d+$/.test(name) ? Number(name) : Number.NaN));
  const step = numbers[1]! - numbers[0]!;
  return numbers.some((number, i) => i > 0 && number - numbers[i - 1]! !== step) && !numbers.some(Number.isNaN);
}

/** A sequence, and how many of its objects have no pixel in the mask that is to give them. */
interface Opened {
  readonly sequence: VideoSequence;
  readonly absent: number;
}

async function openSequence(tree: FileTree, listed: ListedSequence): Promise<Opened> {
  const { name, frames } = listed;
  const size = await pictureSize(tree, frames[0]!.picture);
  const maskAt = (frame: number): Promise<FrameMask> => maskOf(tree, frames[frame]!.mask!, size);
  for (const { mask } of frames) if (mask !== undefined) await checkMask(tree, mask, size);
  const objects = await objectsOf(listed, maskAt);
  const sequence: VideoSequence = {
    name,
    frames: frames.map((frame) => frame.name),
    size,
    objects,
    hasMask: (frame) => frames[frame]!.mask !== undefined,
    mask: maskAt,
    version: (frame) => tree.version(frames[frame]!.picture),
    async read(frame, signal) {
      const { picture } = frames[frame]!;
      const image = await tree.read(picture, signal).then(decodeImage).catch(asDataError(tree, picture));
      if (image.height === size[0] && image.width === size[1]) return image;
      throw new TrainError(
        'data',
        `${tree.name}: ${picture} is ${image.width} x ${image.height}, the first frame of ${name} ${size[1]} x ${size[0]}; all frames have one size`,
      );
    },
  };
  return { sequence, absent: (listed.objects?.length ?? objects.length) - objects.length };
}

/** Objects that have a pixel in the mask that gives them. */
async function objectsOf(
  { frames, objects }: ListedSequence,
  maskAt: (frame: number) => Promise<FrameMask>,
): Promise<VideoObject[]> {
  const idsAt = async (frame: number): Promise<number[]> =>
    [...new Set((await maskAt(frame)).ids)].filter((id) => !NO_OBJECT.has(id)).sort((a, b) => a - b);
  const inFirst = await idsAt(0);
  if (objects === undefined) return inFirst.map((id) => ({ id, first: 0 }));
  const found: VideoObject[] = [];
  for (const { id, first } of objects) {
    const frame = frames.findIndex((one) => one.name === first && one.mask !== undefined);
    if (frame >= 0 && (await idsAt(frame)).includes(id)) found.push({ id, first: frame });
  }
  return found.sort((a, b) => a.id - b.id);
}

/** A frame that cannot be read breaks what follows it: nothing is left out. */
const asDataError =
  (tree: FileTree, path: string) =>
  (error: unknown): never => {
    if (!isImageError(error)) throw error;
    throw new TrainError(
      'data',
      `${tree.name}: ${path} cannot be read: ${error.message}; repair it or leave its sequence out`,
      {
        cause: error,
      },
    );
  };

async function pictureSize(tree: FileTree, path: string): Promise<[rows: number, columns: number]> {
  const bytes = await tree.read(path).catch(asDataError(tree, path));
  const { width = 0, height = 0 } = await sharp(bytes)
    .metadata()
    .catch((): { width?: number; height?: number } => ({}));
  if (width === 0 || height === 0) throw new TrainError('data', `${tree.name}: ${path} is no picture`);
  return [height, width];
}

type Size = readonly [rows: number, columns: number];

/** What the header says, so that nothing is refused after hours. */
async function checkMask(tree: FileTree, path: string, size: Size): Promise<void> {
  const file = await tree.open(path);
  const header = Buffer.from(await file.read(0, Math.min(PNG_HEADER, file.size)));
  if (header.length < PNG_HEADER || header.readUInt32BE(0) !== 0x89504e47)
    throw new TrainError('data', `${tree.name}: ${path} is no PNG; masks are palette or gray PNGs`);
  checkSize(tree, path, [header.readUInt32BE(20), header.readUInt32BE(16)], size);
}

function checkSize(tree: FileTree, path: string, own: Size, size: Size): void {
  if (own.join() !== size.join())
    throw new TrainError(
      'data',
      `${tree.name}: the mask ${path} is ${own[1]} x ${own[0]}, its frames ${size[1]} x ${size[0]}; give masks and frames of one resolution`,
    );
}

async function maskOf(tree: FileTree, path: string, size: Size): Promise<FrameMask> {
  const bytes = await tree.read(path).catch(asDataError(tree, path));
  const { data, height, width } = await Promise.resolve()
    .then(() => readMask(bytes, path))
    .catch(asDataError(tree, path));
  checkSize(tree, path, [height, width], size);
  if (data instanceof Uint16Array)
    throw new TrainError('data', `${tree.name}: ${path} has 16 bits; write the ids of objects with 8`);
  return { size, ids: data };
}
