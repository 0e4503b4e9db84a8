/**
 * What depth probes are trained on, recorded on tensors. With `g = log(p + 0.001) - log(t + 0.001)` over the pixels that have a reading, of the whole batch:
 *
 *   SigLoss (Eigen et al., 2014; as in AdaBins):  sqrt(mean g^2 - 0.85 (mean g)^2)
 *   gradient loss (after MegaDepth): for strides 1, 2, 4, 6 the sum of |g_i - g_j| over pixels i, j two apart on the lattice of that stride, both measured,
 *   divided by the number of measured pixels of the lattice; summed over the strides.
 *
 * Probe3D adds them as 10 SigLoss + 0.5 gradient loss. Its gradient loss was meant for rows and columns; until November 2025 it sliced a map `[B, 1, H, W]` from the
 * front, so that its lattice was one of pictures: it compared the same pixel of pictures two apart (there is one channel, so nothing along that axis).
 *
 * DINOv3 takes SigLoss as sqrt(0.15 (mean g)^2 + var g) with the unbiased variance, without the variance for the first 100 steps, of each process's own images; the
 * mean over processes is what moves the weights.
 */
import {
  abs,
  add,
  cast,
  constant,
  div,
  greater,
  lessEqual,
  log,
  maximum,
  mean,
  mul,
  reshape,
  sliceAxis,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from '@franca/tensor';
import { DEPTH_RANGE } from './depth-protocol';

/** Added to depths before the logarithm. */
const EPS = 0.001;
const STRIDES = [1, 2, 4, 6] as const;
/** Below this a root is taken for constant: a perfect prediction has loss 1e-12 and no gradient, in place of an infinite one. */
const SMALLEST = 1e-24;

/** Maps of log errors, 0 where there is no reading, and the pixels that have one as 1. Both `[B, rows, cols]`. */
export interface LogErrors {
  readonly errors: Tensor;
  readonly valid: Tensor;
}

/** @param farthest metres beyond which a reading counts as none */
export function logErrors(prediction: Tensor, truth: Tensor, farthest: number = DEPTH_RANGE[1]): LogErrors {
  const near = cast(greater(truth, 0), 'f32');
  const valid = Number.isFinite(farthest) ? mul(near, cast(lessEqual(truth, farthest), 'f32')) : near;
  return { errors: mul(sub(log(add(prediction, EPS)), log(add(truth, EPS))), valid), valid };
}

/** SigLoss over all pixels of the batch, a scalar; 0 where none is measured. */
export function sigLoss({ errors, valid }: LogErrors): Tensor {
  const count = maximum(sum(valid), 1);
  const squares = div(sum(square(errors)), count);
  const average = div(sum(errors), count);
  return sqrt(maximum(sub(squares, mul(square(average), 0.85)), SMALLEST));
}

/**
 * DINOv3's SigLoss, a scalar: the mean over `groups` equal parts of the batch, each with statistics of its own.
 *
 * @param spread 0 while the variance is left out, then 1
 */
export function groupedSigLoss({ errors, valid }: LogErrors, groups: number, spread: Tensor): Tensor {
  const [own, measured] = [reshape(errors, [groups, -1]), reshape(valid, [groups, -1])];
  const count = maximum(sum(measured, [1], { keepDims: true }), 1);
  const average = div(sum(own, [1], { keepDims: true }), count);
  const deviations = mul(sub(own, average), measured);
  const variance = div(sum(square(deviations), [1], { keepDims: true }), maximum(sub(count, 1), 1));
  return mean(sqrt(maximum(add(mul(square(average), 0.15), mul(variance, spread)), SMALLEST)));
}

/** Along which axes of `[B, rows, cols]` the gradient loss takes its differences. */
export type GradientAxes = 'batch' | 'rows-and-columns';

/** Gradient loss of the batch, a scalar. A stride whose lattice has no measured pixel adds 0, where the published code divides 0 by 0. */
export function gradientLoss({ errors, valid }: LogErrors, along: GradientAxes): Tensor {
  const axes = along === 'batch' ? [0] : [1, 2];
  const terms = STRIDES.map((stride) => {
    const measured = mul(valid, lattice(errors.shape, axes, stride));
    const count = maximum(sum(measured), 1);
    const pairs = axes.flatMap((axis) => differences(errors, measured, axis, 2 * stride) ?? []);
    return pairs.length > 0 ? div(pairs.reduce(add), count) : undefined;
  });
  return terms.filter((term) => term !== undefined).reduce(add, mul(sum(errors), 0));
}

/** 1 where every index along `axes` is a multiple of `stride`, else 0; of extent 1 along other axes. */
function lattice(shape: readonly number[], axes: readonly number[], stride: number): Tensor {
  const extents = shape.map((extent, axis) => (axes.includes(axis) ? extent : 1));
  const size = extents.reduce((product, extent) => product * extent, 1);
  const values = Float32Array.from({ length: size }, (_, i) => {
    let rest = i;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      if ((rest % extents[axis]!) % stride !== 0) return 0;
      rest = Math.floor(rest / extents[axis]!);
    }
    return 1;
  });
  return constant(values, extents);
}

/** Sum of |g_i - g_j| over measured pixels `apart` along an axis; undefined where there are none so far apart. */
function differences(errors: Tensor, measured: Tensor, axis: number, apart: number): Tensor | undefined {
  const extent = errors.shape[axis]!;
  if (extent <= apart) return undefined;
  const [first, second] = [errors, measured].map((x) => [
    sliceAxis(x, axis, 0, extent - apart),
    sliceAxis(x, axis, apart, extent),
  ]) as [[Tensor, Tensor], [Tensor, Tensor]];
  return sum(mul(abs(sub(...first)), mul(...second)));
}
