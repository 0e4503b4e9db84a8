/** What the teacher makes of a few held-out pictures, as figures: their patches in colours and their nearest training images, before training and now. */
import type { PixelImage } from '@franca/data';
import { type Figure, type GridCell, type GridRow, imageGrid, renderPcaMap } from '@franca/viz';
import type { RunStart } from './run-start';
import type { Looks, TeacherReading } from './teacher-reading';

/** Pixels along a side of a map: as many as it takes on the page, so that colours run smoothly. */
const MAP_SIDE = 150;

/** A frame around a neighbour of the picture's own class; blue is told apart by every kind of sight. */
export const SAME_CLASS = '#2f66c4';

interface Shown extends Pick<TeacherReading, 'shown'> {
  /** Training images by their place, the nearest ones at least. */
  readonly train: { readonly images: { readonly [at: number]: PixelImage }; readonly labels: Int32Array };
  readonly test: { readonly labels: Int32Array };
}

/** The figures by the name of their file: `maps`, and `neighbours` where there are training images to compare with. */
export function looksFigures(
  reading: Shown,
  now: Looks,
  start: Pick<RunStart, 'weights' | 'looks'> | undefined,
): Record<string, Figure> {
  if (now.maps.length === 0) return {};
  const columns = [...(start ? [{ name: start.weights, looks: start.looks }] : []), { name: 'trained', looks: now }];
  return {
    maps: mapsFigure(reading, columns),
    ...(now.nearest.some((row) => row.length > 0) ? { neighbours: neighboursFigure(reading, columns) } : {}),
  };
}

interface Column {
  readonly name: string;
  readonly looks: Looks;
}

/** A row of pictures, and below each its map. */
function mapsFigure({ shown }: Shown, columns: readonly Column[]): Figure {
  const { pictures } = shown;
  const rows: GridRow[] = [
    { label: 'picture', cells: pictures.images.map((image) => ({ image })) },
    ...columns.map(({ name, looks }) => ({
      label: name,
      cells: looks.maps.map((map) => ({
        image: renderPcaMap(map, { width: MAP_SIDE, height: MAP_SIDE, resampling: 'bilinear' }),
      })),
    })),
  ];
  return imageGrid(rows, { cellSize: MAP_SIDE, density: 1 });
}

/** A row for each picture: itself, and its nearest images by each column's features. */
function neighboursFigure({ train, test, shown }: Shown, columns: readonly Column[]): Figure {
  const hasClasses = train.labels.length > 0;
  const neighbour = (at: number, query: number): GridCell => ({
    image: train.images[at]!,
    ...(hasClasses && train.labels[at] === test.labels[query] ? { frame: SAME_CLASS } : {}),
  });
  const found = columns.map(({ name, looks }) => ({
    name: `nearest, ${name}`,
    rows: shown.queries.map((query, row) => looks.nearest[row]!.map((at) => neighbour(at, query))),
  }));
  const rows = shown.queries.map(
    (_, row): GridRow => ({
      cells: [{ image: shown.pictures.images[row]! }, ...found.flatMap((column) => [undefined, ...column.rows[row]!])],
    }),
  );
  const columnLabels = ['picture', ...found.flatMap((column) => ['', ...heading(column, hasClasses)])];
  return imageGrid(rows, { columnLabels, cellSize: 76, density: 1 });
}

/** The label of the middle one of a column's images, with how many are of the class of their picture. */
function heading({ name, rows }: { name: string; rows: readonly GridCell[][] }, hasClasses: boolean): string[] {
  const cells = rows.flat();
  const right = hasClasses ? `: ${cells.filter(({ frame }) => frame).length} of ${cells.length} right` : '';
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, i) => (i === Math.floor(width / 2) ? `${name}${right}` : ''));
}
