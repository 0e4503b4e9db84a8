/** Connected parts of a map of patches: neighbours share an edge, not a corner. */
import type { Cells } from './discovery';

export interface Component {
  /** Whether each patch [N] belongs to it. */
  readonly mask: Uint8Array;
  readonly size: number;
  readonly cells: Cells;
}

/** The connected part of the patches with a nonzero value that holds `seed`, which must be one of them. */
export function componentAt(
  foreground: Uint8Array,
  [rows, columns]: readonly [number, number],
  seed: number,
): Component {
  const mask = new Uint8Array(foreground.length);
  const found = [seed];
  mask[seed] = 1;
  let [top, left, bottom, right] = [rows, columns, 0, 0];
  for (let next = 0; next < found.length; next++) {
    const cell = found[next]!;
    const column = cell % columns;
    const row = (cell - column) / columns;
    [top, left] = [Math.min(top, row), Math.min(left, column)];
    [bottom, right] = [Math.max(bottom, row + 1), Math.max(right, column + 1)];
    const reach = (other: number, inside: boolean): void => {
      if (!inside || !foreground[other] || mask[other]) return;
      mask[other] = 1;
      found.push(other);
    };
    reach(cell - columns, row > 0);
    reach(cell - 1, column > 0);
    reach(cell + 1, column < columns - 1);
    reach(cell + columns, row < rows - 1);
  }
  return { mask, size: found.length, cells: [top, left, bottom, right] };
}

/** All connected parts, in the order of their first patches. */
export function components(foreground: Uint8Array, grid: readonly [number, number]): Component[] {
  const rest = foreground.slice();
  const all: Component[] = [];
  for (let cell = 0; cell < rest.length; cell++) {
    if (!rest[cell]) continue;
    const component = componentAt(rest, grid, cell);
    component.mask.forEach((inside, i) => {
      if (inside) rest[i] = 0;
    });
    all.push(component);
  }
  return all;
}
