/**
 * Connected parts of a mask on a grid of patches: neighbours above, below, left and right. They are numbered from 1 in the
 * order in which a reader of rows meets them; 0 is what lies outside of the mask.
 */
import type { Cells } from './discovery';

/** The parts of one mask. */
export interface Components {
  /** Number of each patch's part, `[rows * columns]`; 0 outside of the mask. */
  readonly labels: Int32Array;
  /** Patches in each part; the first entry counts what is outside. */
  readonly sizes: readonly number[];
  /** Tight box of each part; the first entry is that of what is outside. */
  readonly boxes: readonly Cells[];
}

/** Labels the parts of `mask`, `[rows * columns]`, where it is not 0. */
export function components(mask: Uint8Array, grid: readonly [rows: number, columns: number]): Components {
  const labels = new Int32Array(mask.length);
  const queue = new Int32Array(mask.length);
  let count = 0;
  for (let first = 0; first < mask.length; first++) {
    if (!mask[first] || labels[first]) continue;
    count += 1;
    labels[first] = count;
    queue[0] = first;
    for (let head = 0, tail = 1; head < tail; head++) {
      for (const next of neighbours(queue[head]!, grid)) {
        if (!mask[next] || labels[next]) continue;
        labels[next] = count;
        queue[tail++] = next;
      }
    }
  }
  return { labels, ...extents(labels, count + 1, grid[1]) };
}

/** 1 where a patch belongs to part `label`. */
export function componentMask({ labels }: Components, label: number): Uint8Array {
  return Uint8Array.from(labels, (each) => Number(each === label));
}

function* neighbours(cell: number, [rows, columns]: readonly [rows: number, columns: number]): Generator<number> {
  const column = cell % columns;
  if (cell >= columns) yield cell - columns;
  if (cell < (rows - 1) * columns) yield cell + columns;
  if (column > 0) yield cell - 1;
  if (column < columns - 1) yield cell + 1;
}

function extents(labels: Int32Array, count: number, columns: number): Pick<Components, 'sizes' | 'boxes'> {
  const sizes = new Array<number>(count).fill(0);
  const boxes = Array.from({ length: count }, (): [number, number, number, number] => [Infinity, Infinity, 0, 0]);
  for (const [cell, label] of labels.entries()) {
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    const box = boxes[label]!;
    sizes[label]! += 1;
    box[0] = Math.min(box[0], row);
    box[1] = Math.min(box[1], column);
    box[2] = Math.max(box[2], row + 1);
    box[3] = Math.max(box[3], column + 1);
  }
  return { sizes, boxes };
}
