/** Pictures for the page: frames of some sequences with the objects in the colours of DAVIS, found and true. */
import {
  type Figure,
  type GridCell,
  type GridRow,
  imageGrid,
  type PixelImage,
  resizeImage,
  segmentationOverlay,
} from '@franca/viz';
import type { FollowedSequence } from './follow-set';
import type { ScoredObject } from './score';

const SHOWN = 4;
/** Places of the shown frames: the first, three between, the last. */
const PLACES = [0, 0.25, 0.5, 0.75, 1];
const CELL = 200;

/** Evenly spaced over the sequences, so that they are none that somebody chose. */
export async function shownSequences(
  sequences: readonly FollowedSequence[],
  objects: readonly ScoredObject[],
  title: string,
): Promise<Figure> {
  const count = Math.min(SHOWN, sequences.length);
  const rows: GridRow[] = [];
  for (let i = 0; i < count; i++) {
    const followed = sequences[Math.floor(((i + 0.5) * sequences.length) / count)]!;
    const { sequence } = followed;
    const last = sequence.frames.length - 1;
    const frames = [...new Set(PLACES.map((place) => Math.round(place * last)))];
    const found: GridCell[] = [];
    const truth: (GridCell | undefined)[] = [];
    for (const frame of frames) {
      found.push({ image: await drawnFrame(followed, frame, CELL), label: labelOf(followed, frame, objects) });
      const isScored = sequence.hasMask(frame) && frame > 0;
      truth.push(
        isScored ? { image: await drawn(followed, frame, CELL, (await sequence.mask(frame)).ids) } : undefined,
      );
    }
    rows.push({ label: sequence.name, cells: found });
    if (truth.some((cell) => cell !== undefined)) rows.push({ label: 'truth', cells: truth });
  }
  return imageGrid(rows, { title, cellSize: CELL, density: 1 });
}

/** The frame, and the mean J of its objects where they are scored. */
function labelOf({ sequence }: FollowedSequence, frame: number, objects: readonly ScoredObject[]): string {
  const name = sequence.frames[frame]!;
  const values = objects
    .filter((object) => object.sequence === sequence.name && object.frames.includes(name))
    .map(({ frames, regions }) => regions[frames.indexOf(name)]!);
  if (frame === 0) return `${name}, given`;
  if (values.length === 0) return name;
  return `${name}, J ${((100 * values.reduce((sum, value) => sum + value, 0)) / values.length).toFixed(0)} %`;
}

/** A frame with its found objects, at most so wide. */
export const drawnFrame = (followed: FollowedSequence, frame: number, width: number): Promise<PixelImage> =>
  drawn(followed, frame, width, followed.masks.at(frame));

async function drawn(
  { sequence }: FollowedSequence,
  frame: number,
  width: number,
  ids: Uint8Array,
): Promise<PixelImage> {
  const [rows, columns] = sequence.size;
  const overlay = segmentationOverlay(await sequence.read(frame), ids, [rows, columns]);
  if (columns <= width) return overlay;
  return resizeImage(overlay, { width, height: Math.max(1, Math.round((rows * width) / columns)) }, 'area');
}
