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

type Branch = 'attention' | 'ffn';

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
    const counts = (name: Branch): number[] => given.map((list) => list[name].shape[0]!);
    const rows = (name: Branch): Tensor =>
      segmentRows(
        given.map((list) => list[name]),
        segments,
      );
    const scales = (name: Branch): Tensor =>
      given.some((list) => list.scales)
        ? concat(given.map((list, i) => ownScales(segments[i]!, list[name].shape[0]!, list.scales?.[name])))
        : scalesOf(counts(name));
    return {
      kept: {
        attention: rows('attention'),
        ffn: rows('ffn'),
        scales: { attention: scales('attention'), ffn: scales('ffn') },
      },
      segments: counts('attention').map((B, i) => ({ B, N: segments[i]!.N })),
    };
  };
}

/** What tokens are multiplied by where segments keep so many images: all over the kept ones. Blocks that keep as many share it. */
function usualScales(segments: readonly TokenSegment[]): (counts: readonly number[]) => Tensor {
  const known = new Map<string, Tensor>();
  return (counts) => {
    const key = counts.join();
    const before = known.get(key);
    if (before) return before;
    const values = segments.flatMap(({ B, N }, i) => new Array<number>(counts[i]! * N).fill(B / counts[i]!));
    const scales = constant(values, [values.length]);
    known.set(key, scales);
    return scales;
  };
}

/** The same of one segment, with scales [s] of its s images where these are given. */
function ownScales({ B, N }: TokenSegment, s: number, scales?: Tensor): Tensor {
  const ofImages = scales ?? constant(new Float32Array(s).fill(B / s), [s]);
  return reshape(broadcastTo(reshape(ofImages, [s, 1]), [s, N]), [s * N]);
}
