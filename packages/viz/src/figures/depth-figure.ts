/**
 * Depth beside its truth: a row for each picture, with the measured depth, the predicted one and how far they are apart.
 *
 * All depths share one scale of colours, all errors another; pixels without a reading are grey in truth and error.
 */
import { type GridRow, type ImageGridOptions, imageGrid } from '../charts/image-grid';
import { type ColormapName, colormapColour, colourise, quantile } from '../drawing/colormap';
import type { Grid } from '../drawing/grid';
import type { PixelImage } from '../drawing/image';
import { formatNumber } from '../drawing/number-format';
import { type Figure, hexColour } from '../drawing/svg';
import { checkLength, VizError } from '../errors';

/** A picture, its measured depth and the predicted one, both `[rows, columns]` in metres. */
export interface DepthItem {
  readonly image: PixelImage;
  readonly label?: string;
  readonly size: Grid;
  /** 0 where there is no reading. */
  readonly truth: ArrayLike<number>;
  readonly prediction: ArrayLike<number>;
}

/** Options of `depthFigure`. */
export interface DepthFigureOptions extends Omit<ImageGridOptions, 'columnLabels' | 'legend'> {
  /** Ends of the scale of depths in metres. Default: those of all readings and predictions but for a hundredth at each end. */
  readonly domain?: readonly [near: number, far: number];
  /** End of the scale of errors in metres. Default: that of all errors but for the largest twentieth. */
  readonly worst?: number;
}

const [DEPTH_COLOURS, ERROR_COLOURS] = ['viridis', 'inferno'] as const satisfies readonly ColormapName[];
const STEPS = 4;

/** Rows of picture, truth, prediction and error. Throws `shape` where there is none, or a map does not fit its size. */
export function depthFigure(items: readonly DepthItem[], options: DepthFigureOptions = {}): Figure {
  if (items.length === 0) throw new VizError('shape', 'no picture was passed; give at least one');
  for (const { label, size, truth, prediction } of items)
    for (const map of [truth, prediction]) checkLength(`a depth map of '${label ?? ''}'`, map, size);
  const { domain = domainOf(items), worst = worstOf(items), ...grid } = options;
  const rows = items.map((item) => rowOf(item, domain, worst));
  const legend = [
    ...scaleOf('depth', domain, DEPTH_COLOURS),
    ...scaleOf('error', [0, worst], ERROR_COLOURS),
    { name: 'no reading', colour: NO_READING },
  ];
  return imageGrid(rows, {
    title: 'Depth',
    columnLabels: ['picture', 'measured', 'predicted', 'error'],
    legend,
    ...grid,
  });
}

/** What `colourise` makes of what is no number. */
const NO_READING = '#808080';

function rowOf(
  { image, label, size, truth, prediction }: DepthItem,
  domain: readonly [number, number],
  worst: number,
): GridRow {
  const seen = (value: number, i: number): number => (truth[i]! > 0 ? value : Number.NaN);
  const measured = Float64Array.from(truth, seen);
  const error = Float64Array.from(prediction, (value, i) => seen(Math.abs(value - truth[i]!), i));
  return {
    ...(label !== undefined && { label }),
    cells: [
      { image },
      { image: colourise(measured, size, domain, DEPTH_COLOURS) },
      { image: colourise(prediction, size, domain, DEPTH_COLOURS) },
      { image: colourise(error, size, [0, worst], ERROR_COLOURS) },
    ],
  };
}

function domainOf(items: readonly DepthItem[]): readonly [number, number] {
  const values = items.flatMap(({ truth, prediction }) =>
    [truth, prediction].flatMap((map) => {
      const there = Float64Array.from(map).filter((value) => value > 0);
      return there.length > 0 ? [quantile(there, 0.01), quantile(there, 0.99)] : [];
    }),
  );
  const [near, far] = [Math.min(...values), Math.max(...values)];
  return far > near ? [near, far] : [0, 1];
}

function worstOf(items: readonly DepthItem[]): number {
  const errors = items.map(({ truth, prediction }) => {
    const there = Float64Array.from(prediction, (value, i) => (truth[i]! > 0 ? Math.abs(value - truth[i]!) : 0));
    return quantile(there, 0.95);
  });
  return Math.max(...errors) || 1;
}

/** A scale as the colours of a few values on it. */
const scaleOf = (name: string, [low, high]: readonly [number, number], colours: ColormapName) =>
  Array.from({ length: STEPS + 1 }, (_, step) => ({
    name: `${name} ${formatNumber(Number((low + ((high - low) * step) / STEPS).toPrecision(2)))} m`,
    colour: hexColour(colormapColour(colours, step / STEPS)),
  }));
