/**
 * Stochastic depth where images of several sizes share one tensor of tokens: the kept images of all segments as one list of token rows. A segment keeps a share of
 * its images and scales them by its own inverse, whatever the others do, as if it were alone.
 */
import { broadcastTo, concat, constant, reshape, segmentRows, type Tensor, type TokenSegment } from '@franca/tensor';
import type { KeptSamples } from './block';
import { VitError } from './errors';

/** Kept rows of tokens as `block` takes them, and the segments of what they gather. */
export interface KeptRows {
  readonly kept: KeptSamples;
  readonly segments: readonly TokenSegment[];
}

/** For each of the lists of kept images that the segments have for a block: their rows. @throws VitError `config` where only some segments drop images */
export function keptRows(
  segments: readonly TokenSegment[],
): (lists: readonly (KeptSamples | undefined)[]) => KeptRows | undefined {
  const scalesOf = usualScales(segments);
  return (lists) => {
    const given = lists.flatMap((list) => list ?? []);
    if (given.length === 0) return undefined;
    if (given.length < segments.length)
      throw new VitError('config', 'a block keeps samples of some images only: give lists for the others too');
    const kept = (name: 'attention' | 'ffn') => given.map((list) => list[name]);
    const counts = kept('attention').map(({ shape }) => shape[0]!);
    const scales = (name: 'attention' | 'ffn'): Tensor =>
      given.some((list) => list.scales)
        ? concat(given.map((list, i) => ofTokens(list.scales![name], segments[i]!)))
        : scalesOf(kept(name).map(({ shape }) => shape[0]!));
    return {
      kept: {
        attention: segmentRows(kept('attention'), segments),
        ffn: segmentRows(kept('ffn'), segments),
        scales: { attention: scales('attention'), ffn: scales('ffn') },
      },
      segments: segments.map(({ N }, i) => ({ B: counts[i]!, N })),
    };
  };
}

/** What tokens are multiplied by where segments keep so many images: all over the kept ones. Blocks that keep as many share it. */
function usualScales(segments: readonly TokenSegment[]): (counts: readonly number[]) => Tensor {
  const known = new Map<string, Tensor>();
  return (counts) => {
    const key = counts.join();
    const values = segments.flatMap(({ B, N }, i) => new Array<number>(counts[i]! * N).fill(B / counts[i]!));
    const scales = known.get(key) ?? constant(values, [values.length]);
    known.set(key, scales);
    return scales;
  };
}

/** A value of each image [s] as one of each of its tokens [s N]. */
function ofTokens(values: Tensor, { N }: TokenSegment): Tensor {
  const s = values.shape[0]!;
  return reshape(broadcastTo(reshape(values, [s, 1]), [s, N]), [s * N]);
}
