/**
 * Pictures with the distance of every pixel: what each layout gives, and what the depth evaluation reads.
 *
 * A set has a part that is tested on and, where it can be learnt from, one for training. Depth is in metres, of the size of its picture or another.
 */
import type { ImageSet } from './image-set';

/** Distance along the view axis in metres, [height, width]; 0 where there is no reading. */
export interface DepthMap {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** One part. Its pictures that have no usable depth are not in it. */
export interface DepthImages extends ImageSet {
  /** Whether these are all of GeoNet's frames, which the paper's probes learn from. */
  readonly isGeonet?: boolean;
  /** Read anew every time. @throws DataError with an image code (see `isImageError`) where this one is damaged */
  depth(index: number, signal?: AbortSignal): Promise<DepthMap>;
  /** Tells the readings, as `version` does the picture: a training is not taken up again with others. */
  depthVersion(index: number): string | Promise<string>;
}

export interface DepthSet extends AsyncDisposable {
  /** Absent where the data have no part to learn from. */
  readonly train?: DepthImages;
  readonly test: DepthImages;
}
