/**
 * Which block and features, and for LOST which bias: chosen on a held-out part of the pictures, whose results are never reported.
 *
 * What a backbone is worth to these methods depends on such settings more than on the backbone, and published numbers rarely state them. So all of them are
 * tried on a fifth of the pictures (seed 0), the best is reported on the others, and the whole table is shown.
 */
import { shuffledOrder } from '@franca/data';
import type { VitConfig } from '@franca/vit';
import { TrainError } from '../../errors';
import { type BoxSet, chosenBoxes } from '../../image-sets/box-set';
import type { Scored } from './score';
import { type Feature, lostSetting, type Setting, type SettingOptions, tokenCutSetting } from './settings';

/** Blocks from the last one that are tried. */
const BLOCKS = 4;
/** The official feature first: among equals the first is chosen. */
const TRIED: readonly Feature[] = ['key', 'query', 'value', 'output'];
/** Subtracted from the cosines of LOST; its raw products are tried without any. */
const BIASES: readonly number[] = [0, 0.1, 0.2, 0.3, 0.4, 0.5];
const HELD_OUT = 5;

/** Settings of one method, the official one first. */
export function triedSettings(method: 'tokencut' | 'lost', options: SettingOptions, { depth }: VitConfig): Setting[] {
  const layers = Array.from({ length: Math.min(BLOCKS, depth) }, (_, i) => depth - 1 - i);
  return layers.flatMap((layer) =>
    TRIED.flatMap((feature): Setting[] =>
      method === 'tokencut'
        ? [tokenCutSetting(feature, layer, options)]
        : [
            lostSetting(feature, layer, { ...options, normalise: false, bias: 0 }),
            ...BIASES.map((bias) => lostSetting(feature, layer, { ...options, normalise: true, bias })),
          ],
    ),
  );
}

/** A fifth of the pictures to choose on, and the others to report. @throws TrainError `data` where there are fewer than five */
export function splitOff(set: BoxSet): { readonly held: BoxSet; readonly rest: BoxSet } {
  const count = Math.floor(set.length / HELD_OUT);
  if (count === 0)
    throw new TrainError(
      'data',
      `${set.length} pictures are too few to hold some out for --sweep; give at least ${HELD_OUT}`,
    );
  const order = shuffledOrder(set.length, 0, 0);
  const shuffled = Array.from({ length: set.length }, (_, i) => order(i));
  const chosen = (indices: readonly number[], split: string): BoxSet => ({
    ...chosenBoxes(
      set,
      [...indices].sort((a, b) => a - b),
    ),
    split,
    total: indices.length,
  });
  return {
    held: chosen(shuffled.slice(0, count), `fifth of ${set.split}`),
    rest: chosen(shuffled.slice(count), `${set.split} less a fifth`),
  };
}

/** The highest CorLoc; of several the first. */
export const bestOf = (scored: readonly Scored[]): Scored =>
  scored.reduce((best, one) => (one.score.corLoc > best.score.corLoc ? one : best));
