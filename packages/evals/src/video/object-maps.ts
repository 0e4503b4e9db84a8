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
import { bilinear, type Extent } from '../numerics/bilinear';
import { resizeLabels, resizeLabelsByCentre } from '../numerics/nearest';

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
  const mapOf = (channel: number): Float32Array =>
    Float32Array.from({ length: cells }, (_, i) => maps[i * channels + channel]!);
  const ids = Uint8Array.from([0, ...objects]);
  if (upsampling === 'nearest') {
    const winners = largestChannels(channels, cells, (channel) => stretched(mapOf(channel), 0));
    return resizeLabels(
      winners.map((channel) => ids[channel]!),
      grid,
      size,
    );
  }
  const fine: Extent = [grid[0] * patchSize, grid[1] * patchSize];
  const { apply } = bilinear(grid, fine);
  const upsampled = new Float64Array(fine[0] * fine[1]);
  const winners = largestChannels(channels, upsampled.length, (channel) => {
    apply(mapOf(channel), upsampled, 1);
    return stretched(upsampled, Number.POSITIVE_INFINITY);
  });
  return resizeLabelsByCentre(
    winners.map((channel) => ids[channel]!),
    fine,
    size,
  );
}

/** The first of the largest channels at each place; maps are asked for one by one, in order. */
function largestChannels(channels: number, places: number, mapOf: (channel: number) => ArrayLike<number>): Uint8Array {
  const best = new Float64Array(places).fill(Number.NEGATIVE_INFINITY);
  const winners = new Uint8Array(places);
  for (let channel = 0; channel < channels; channel++) {
    const map = mapOf(channel);
    for (let i = 0; i < places; i++) {
      if (map[i]! <= best[i]!) continue;
      best[i] = map[i]!;
      winners[i] = channel;
    }
  }
  return winners;
}

/** A map from its least to its largest value in [0, 1], in place; as it is where nothing in it is above 0, `flat` where it has no contrast. */
function stretched<T extends Float32Array | Float64Array>(map: T, flat: number): T {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < map.length; i++) {
    least = Math.min(least, map[i]!);
    most = Math.max(most, map[i]!);
  }
  if (most <= 0) return map;
  if (most === least) return map.fill(flat) as T;
  for (let i = 0; i < map.length; i++) map[i] = (map[i]! - least) / (most - least);
  return map;
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
