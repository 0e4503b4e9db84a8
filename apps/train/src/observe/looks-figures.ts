/** What the teacher makes of a few held-out pictures, as figures: their patches in colours and their nearest training images, before training and now. */
import { type Figure, type GridCell, type GridRow, imageGrid, type RgbImage, renderPcaMap } from '@franca/viz';
import type { HeldOutImages } from './held-out-images';
import type { RunStart } from './run-start';
import type { Looks, TeacherReading } from './teacher-reading';

/** Pixels along a side of a map, a few for each patch: the rest of its smoothness is the renderer's. */
const MAP_SIDE = 96;

/** A frame around a neighbour of the picture's own class; blue is told apart by every kind of sight. */
export const SAME_CLASS = '#2f66c4';

type Shown = Pick<TeacherReading, 'train' | 'test' | 'shown'>;

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
    ...(reading.train.images.length > 0 ? { neighbours: neighboursFigure(reading, columns) } : {}),
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
    { label: 'picture', cells: pictures.images.map((_, i) => ({ image: imageOf(pictures, i) })) },
    ...columns.map(({ name, looks }) => ({
      label: name,
      cells: looks.maps.map((map) => ({
        image: renderPcaMap(map, { width: MAP_SIDE, height: MAP_SIDE, resampling: 'bilinear' }),
      })),
    })),
  ];
  return imageGrid(rows, { cellSize: 150, density: 1 });
}

/** A row for each picture: itself, and its nearest images by each column's features. */
function neighboursFigure(reading: Shown, columns: readonly Column[]): Figure {
  const { train, test, shown } = reading;
  const neighbour = (at: number, query: number): GridCell => ({
    image: imageOf(train, at),
    ...(train.labels.length > 0 && train.labels[at] === test.labels[query] ? { frame: SAME_CLASS } : {}),
  });
  const rows = shown.queries.map((query, row): GridRow => {
    const found = columns.flatMap(({ looks }) => [undefined, ...looks.nearest[row]!.map((at) => neighbour(at, query))]);
    return { cells: [{ image: imageOf(shown.pictures, row) }, ...found] };
  });
  const middle = (count: number, name: string): string[] => {
    const labels = new Array<string>(count).fill('');
    labels[Math.floor(count / 2)] = name;
    return labels;
  };
  const columnLabels = [
    'picture',
    ...columns.flatMap(({ name, looks }) => ['', ...middle(looks.nearest[0]?.length ?? 0, `nearest, ${name}`)]),
  ];
  return imageGrid(rows, { columnLabels, cellSize: 76, density: 1 });
}

const imageOf = ({ images, size }: HeldOutImages, at: number): RgbImage => ({
  width: size,
  height: size,
  data: images[at]!,
});
