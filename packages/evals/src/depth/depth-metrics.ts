/**
 * How far a predicted depth map is from the measured one, as Probe3D counts it (El Banani et al., 2024): over the pixels with a reading,
 *
 *   RMSE = sqrt(mean (p - t)^2),   d_k = share of pixels with max(t / p, p / t) < 1.25^k.
 *
 * The scale-invariant version first maps the prediction by the scale and shift that fit it best to the truth by least squares, so that what
 * remains is the error of shape. Its 2 x 2 system is singular for a constant prediction and for a single pixel: where the determinant is exactly 0 the
 * prediction stays as it is. Where it is only nearly 0 the solution is rounding noise, in the published code as here.
 */
import { checkMaps } from './depth-features';

/** Metrics of one image. Errors in metres, the rest shares. */
export interface DepthMetrics {
  readonly rmse: number;
  readonly d1: number;
  readonly d2: number;
  readonly d3: number;
  /** Mean of |p - t| / t. */
  readonly absRel: number;
  readonly siRmse: number;
  readonly siD1: number;
  readonly siD2: number;
  readonly siD3: number;
}

/** What `p / t` and `t / p` are divided by at least, as published. */
const TINY = 1e-9;

/**
 * Metrics of one image; undefined where no pixel has a reading, since then there is nothing to measure.
 *
 * @param prediction metres `[pixels]`
 * @param truth metres `[pixels]`; 0 where there is no reading
 * @throws EvalsError `argument` or `features`
 */
export function depthMetrics(prediction: Float32Array, truth: Float32Array): DepthMetrics | undefined {
  checkMaps('depthMetrics', prediction, truth);
  if (!truth.some((depth) => depth > 0)) return undefined;
  const plain = errorsOf(prediction, truth, { scale: 1, shift: 0 });
  const fitted = errorsOf(prediction, truth, scaleAndShift(prediction, truth));
  return { ...plain, siRmse: fitted.rmse, siD1: fitted.d1, siD2: fitted.d2, siD3: fitted.d3 };
}

interface AffineMap {
  readonly scale: number;
  readonly shift: number;
}

/** Least squares of `scale * prediction + shift` against the truth, over pixels with a reading. */
function scaleAndShift(prediction: Float32Array, truth: Float32Array): AffineMap {
  let [n, p, pp, t, pt] = [0, 0, 0, 0, 0];
  for (const [i, depth] of truth.entries()) {
    if (!(depth > 0)) continue;
    const value = prediction[i]!;
    n++;
    p += value;
    pp += value * value;
    t += depth;
    pt += value * depth;
  }
  const determinant = pp * n - p * p;
  if (determinant === 0) return { scale: 1, shift: 0 };
  return { scale: (n * pt - p * t) / determinant, shift: (pp * t - p * pt) / determinant };
}

function errorsOf(prediction: Float32Array, truth: Float32Array, { scale, shift }: AffineMap) {
  const within = [0, 0, 0];
  let [n, squares, relative] = [0, 0, 0];
  for (const [i, depth] of truth.entries()) {
    if (!(depth > 0)) continue;
    const value = scale * prediction[i]! + shift;
    const ratio = Math.max(depth / Math.max(value, TINY), value / Math.max(depth, TINY));
    n++;
    squares += (depth - value) ** 2;
    relative += Math.abs(depth - value) / depth;
    for (let k = 0; k < within.length; k++) if (ratio < 1.25 ** (k + 1)) within[k]!++;
  }
  const [d1, d2, d3] = within.map((count) => count / n) as [number, number, number];
  return { rmse: Math.sqrt(squares / n), d1, d2, d3, absRel: relative / n };
}
