/**
 * From the mask of a frame to maps over its patches, and back. Maps `[N, objects + 1]` say of each of the N tokens how much it belongs to nothing (channel
 * 0) and to each object (channel c + 1 is object c of the list).
 *
 * To the token grid a mask is resized by its nearest pixel, the one under a cell's centre (PIL's rule in DINO's code, `nearest-exact` in DINOv3's), and made
 * one-hot. Back to pixels DINO upsamples each map by the size of a patch, bilinearly with half-pixel centres, stretches each to [0, 1] where anything in it is
 * above 0, takes the largest (the first of equals), and resizes the ids by PIL's rule to the picture. DINOv3 copies the nearest cell for each pixel
 * (`floor(i * in / out)`) and does the same there.
 *
 * A map without contrast cannot be stretched: 0 / 0. In DINO's code that NaN is the largest of all, in DINOv3's it becomes 0; so do they here.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOption, checkOptions, EvalsError } from '../errors';
import { type Extent, taps } from '../numerics/bilinear';
import { resizeLabelsByCentre, underCentres } from '../numerics/nearest';

/** How maps become pixels. */
export interface DecodeOptions {
  /** Rows and columns of the picture. */
  readonly size: Extent;
  /** Ids of the objects, by channel. */
  readonly objects: readonly number[];
  /** Pixels of a patch, as the model sees it. */
  readonly patchSize: number;
  /** DINO's way, or DINOv3's. */
  readonly upsampling?: 'bilinear' | 'nearest';
}

const OPTIONS: OptionKinds<DecodeOptions> = {
  size: 'numbers',
  objects: 'numbers',
  patchSize: 'number',
  upsampling: ['bilinear', 'nearest'],
};

/**
 * One-hot maps `[N, objects + 1]` of a mask; ids that are not of the objects, such as 255, are background.
 *
 * @param mask id of the object at each pixel of `size`
 * @param grid rows and columns of tokens
 * @throws EvalsError `argument`, `labels` for a mask of another size, or `options`
 */
export function firstFrameMaps(mask: Uint8Array, size: Extent, grid: Extent, objects: readonly number[]): Float32Array {
  checkArgument('firstFrameMaps', 'mask', mask, 'Uint8Array');
  checkExtent('firstFrameMaps', 'size', size);
  checkExtent('firstFrameMaps', 'grid', grid);
  checkObjects('firstFrameMaps', objects);
  if (mask.length !== size[0] * size[1])
    throw new EvalsError('labels', `firstFrameMaps: a mask of ${mask.length} pixels is not of size [${size}]`);
  const channels = objects.length + 1;
  const cells = resizeLabelsByCentre(mask, size, grid);
  const maps = new Float32Array(cells.length * channels);
  for (const [cell, id] of cells.entries()) maps[cell * channels + objects.indexOf(id) + 1] = 1;
  return maps;
}

/**
 * The id of the object at each pixel of the picture, 0 where there is none.
 *
 * @param maps `[N, objects + 1]`, background first
 * @param grid rows and columns of tokens
 * @throws EvalsError `argument`, `labels` for maps of another size, or `options`
 */
export function decodeMaps(maps: Float32Array, grid: Extent, options: DecodeOptions): Uint8Array {
  checkArgument('decodeMaps', 'maps', maps, 'Float32Array');
  checkExtent('decodeMaps', 'grid', grid);
  checkOptions('decodeMaps', options, OPTIONS);
  const { size, objects, patchSize, upsampling = 'bilinear' } = options;
  checkExtent('decodeMaps', 'size', size);
  checkObjects('decodeMaps', objects);
  checkOption(
    Number.isInteger(patchSize) && patchSize > 0,
    `decodeMaps: patchSize is ${patchSize}; give the pixels of one`,
  );
  const [cells, channels] = [grid[0] * grid[1], objects.length + 1];
  if (maps.length !== cells * channels)
    throw new EvalsError(
      'labels',
      `decodeMaps: ${maps.length} values are no maps of ${grid.join(' x ')} tokens and ${objects.length} objects`,
    );
  const ids = Uint8Array.from([0, ...objects]);
  const { reads, extremes, flat } =
    upsampling === 'bilinear' ? bilinearReads(grid, patchSize, size) : nearestReads(grid, size);
  const best = new Float64Array(size[0] * size[1]).fill(Number.NEGATIVE_INFINITY);
  const winners = new Uint8Array(best.length);
  const map = new Float64Array(cells);
  for (let channel = 0; channel < channels; channel++) {
    for (let cell = 0; cell < cells; cell++) map[cell] = maps[cell * channels + channel]!;
    const { least, span } = contrastOf(readMap(map, grid, extremes));
    const values = readMap(map, grid, reads);
    for (let i = 0; i < best.length; i++) {
      const value = span > 0 ? (values[i]! - least) / span : flat;
      if (value <= best[i]!) continue;
      best[i] = value;
      winners[i] = ids[channel]!;
    }
  }
  return winners;
}

/** A few steps of the f32 that maps are in: differences that sums of weights leave in a map of one value. */
const ROUNDING = 2 ** -21;

/** Where a map begins and how far it goes, 0 where that is rounding; one with nothing above 0 stays as it is. */
function contrastOf(values: Float64Array): { least: number; span: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]!);
    most = Math.max(most, values[i]!);
  }
  if (most <= 0) return { least: 0, span: 1 };
  return { least, span: most - least > ROUNDING * most ? most - least : 0 };
}

/** Where each row or column of an output reads: `(1 - weight) * map[low] + weight * map[high]`. */
interface AxisReads {
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
}

/** How an output reads a map: rows, then columns. */
type Reads = readonly [rows: AxisReads, columns: AxisReads];

interface Upsampling {
  readonly reads: Reads;
  /** Reads that have the least and the largest of all values that the upsampled map has, whether the picture has them or not. */
  readonly extremes: Reads;
  /** What a map without contrast becomes. */
  readonly flat: number;
}

/**
 * The picture reads the map upsampled by the patch size, which is never made: its pixels are read where they are needed. Between four tokens it is linear along
 * rows and along columns, so its extremes lie where the tokens that it reads change.
 */
function bilinearReads(grid: Extent, patchSize: number, size: Extent): Upsampling {
  const [rows, columns] = bothAxes((axis) => {
    const fine = taps(grid[axis], grid[axis] * patchSize);
    const at = (indices: ArrayLike<number>): AxisReads => ({
      low: Array.from(indices, (i) => fine.low[i]!),
      high: Array.from(indices, (i) => fine.high[i]!),
      weight: Array.from(indices, (i) => fine.weight[i]!),
    });
    const ends = [...fine.low.keys()].filter((i) => fine.low[i] !== fine.low[i - 1] || fine.low[i] !== fine.low[i + 1]);
    return { reads: at(underCentres(fine.low.length, size[axis])), extremes: at(ends) };
  });
  return {
    reads: [rows.reads, columns.reads],
    extremes: [rows.extremes, columns.extremes],
    flat: Number.POSITIVE_INFINITY,
  };
}

/** The picture reads one token for each pixel. */
function nearestReads(grid: Extent, size: Extent): Upsampling {
  const [rows, columns] = bothAxes((axis) => {
    const at = (low: Int32Array): AxisReads => ({ low, high: low, weight: new Float64Array(low.length) });
    const tokens = Int32Array.from({ length: size[axis] }, (_, i) => Math.floor((i * grid[axis]) / size[axis]));
    return { reads: at(tokens), extremes: at(tokens.filter((token, i) => token !== tokens[i - 1])) };
  });
  return { reads: [rows.reads, columns.reads], extremes: [rows.extremes, columns.extremes], flat: 0 };
}

const bothAxes = <T>(of: (axis: 0 | 1) => T): [rows: T, columns: T] => [of(0), of(1)];

/** The values that are read, row by row. */
function readMap(map: Float64Array, [, width]: Extent, [rows, columns]: Reads): Float64Array {
  const across = columns.low.length;
  const values = new Float64Array(rows.low.length * across);
  const row = new Float64Array(width);
  for (let y = 0, at = 0; y < rows.low.length; y++) {
    const [low, high, v] = [rows.low[y]! * width, rows.high[y]! * width, rows.weight[y]!];
    for (let x = 0; x < width; x++) row[x] = map[low + x]! * (1 - v) + map[high + x]! * v;
    for (let x = 0; x < across; x++, at++) {
      const u = columns.weight[x]!;
      values[at] = row[columns.low[x]!]! * (1 - u) + row[columns.high[x]!]! * u;
    }
  }
  return values;
}

function checkExtent(what: string, name: string, extent: Extent): void {
  checkArgument(what, name, extent, 'numbers');
  checkOption(
    extent.length === 2 && extent.every((side) => Number.isInteger(side) && side > 0),
    `${what}: ${name} is [${extent}]; it must be rows and columns, two positive integers`,
  );
}

/** Ids that a byte holds and that are neither nothing nor void, each once. */
function checkObjects(what: string, objects: readonly number[]): void {
  checkArgument(what, 'objects', objects, 'numbers');
  const wrong = objects.find((id, i) => !Number.isInteger(id) || id < 1 || id > 254 || objects.indexOf(id) !== i);
  checkOption(
    objects.length > 0 && wrong === undefined,
    `${what}: objects are [${objects}]; give ids from 1 to 254, each once`,
  );
}
