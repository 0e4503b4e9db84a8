/** How flat and how tall the rectangles of block strategies may be. */
import { CyclicMaskError } from './errors';

/** Shape of the rectangles that a block strategy draws. */
export interface AspectOptions {
  /** Flattest allowed height / width; the tallest is its inverse. Default 0.3, as in every official configuration. */
  readonly minAspect?: number;
}

const DEFAULT_MIN_ASPECT = 0.3;

/** ln(1 / minAspect): log-aspects lie in plus or minus this. Throws `options` unless 0 < minAspect <= 1. */
export function maxLogAspect({ minAspect = DEFAULT_MIN_ASPECT }: AspectOptions): number {
  if (!(minAspect > 0 && minAspect <= 1)) {
    throw new CyclicMaskError('options', `minAspect ${minAspect} is not a height / width ratio in (0, 1]`);
  }
  return -Math.log(minAspect);
}
