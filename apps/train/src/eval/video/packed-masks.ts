/** Masks of a sequence in little room: most of a mask is the same id, and a sequence may have thousands of frames. */
import { deflateSync, inflateSync } from 'node:zlib';
import type { FeatureArrays } from '@franca/evals/node';

/** One mask a frame, ids of objects by pixel. */
export interface PackedMasks {
  readonly length: number;
  at(frame: number): Uint8Array;
}

export const packMask = (ids: Uint8Array): Buffer => deflateSync(ids, { level: 3 });

/** As arrays of the cache: all bytes, and where each mask ends. */
export function arraysOf(packed: readonly Buffer[]): FeatureArrays {
  const data = Uint8Array.from(Buffer.concat(packed));
  let end = 0;
  const ends = Int32Array.from(packed, ({ length }) => {
    end += length;
    return end;
  });
  return { masks: { shape: [data.length], data }, ends: { shape: [ends.length], data: ends } };
}

/** @param pixels of a mask */
export function masksOf({ masks, ends }: FeatureArrays, pixels: number): PackedMasks {
  const bytes = masks!.data as Uint8Array;
  const places = ends!.data as Int32Array;
  return {
    length: places.length,
    at(frame) {
      const own = bytes.subarray(frame === 0 ? 0 : places[frame - 1]!, places[frame]!);
      return new Uint8Array(inflateSync(own, { maxOutputLength: pixels }));
    },
  };
}
