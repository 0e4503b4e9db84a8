/**
 * A gradient g against central differences of its function L in f64, over all elements. Along directions v of length one,
 *
 *   (L(x + h v) - L(x - h v)) / 2 h = g . v
 *
 * Samples of single elements say nothing of the others, so a gradient that is wrong in one row, one edge or one element can pass them. Here
 * every element moves: they are divided into as many parts as there are directions, and each direction moves all elements of its part,
 * by amounts that differ at random, so that errors of several elements do not cancel, and that are never small, so that none is hidden. Where
 * the two sides differ, the half of the part that differs more is looked at again, until one element is left to be named.
 */
import { uniforms } from './normals';

/** Central differences at this step leave about 1e-9 of rounding and truncation. */
const STEP = 1e-5;
/** A part that is no larger than this is seen well enough by one direction. */
const PART = 256;

export interface GradientProblem {
  /** The function, of as many values as `x` has. */
  readonly loss: (x: Float64Array) => number;
  readonly x: Float64Array;
  readonly gradient: Float64Array;
  /** At most this many directions. */
  readonly directions: number;
}

/** The element that differs most, by the gradient and by a difference along it alone. */
export interface WrongElement {
  readonly at: number;
  readonly analytic: number;
  readonly numeric: number;
}

/** The largest |difference - g . v| over max(1, max|g|), and the wrong element where that is above `tolerance`. */
export function checkDifferences(
  problem: GradientProblem,
  tolerance: number,
): { readonly error: number; readonly wrong: WrongElement | undefined } {
  const { x, gradient, directions } = problem;
  const scale = gradient.filter(Number.isFinite).reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  const weights = randomWeights(x.length);
  const size = Math.max(PART, Math.ceil(x.length / directions));
  let worst = { error: 0, first: 0, end: 0 };
  for (let first = 0; first < x.length; first += size) {
    const end = Math.min(first + size, x.length);
    const { analytic, numeric } = derivative(problem, weights, first, end);
    const error = Math.abs(analytic - numeric) / scale;
    if (!(error <= worst.error)) worst = { error: Number.isNaN(error) ? Number.POSITIVE_INFINITY : error, first, end };
  }
  const isWrong = !(worst.error <= tolerance);
  return { error: worst.error, wrong: isWrong ? locate(problem, weights, worst.first, worst.end) : undefined };
}

/** Between 0.5 and 1.5, of either sign. */
function randomWeights(count: number): Float64Array {
  const uniform = uniforms(1);
  return Float64Array.from({ length: count }, () => (uniform() + 0.5) * (uniform() < 0.5 ? -1 : 1));
}

/** The derivative when the elements [first, end) move in proportion to their weights, and the others stay. */
function derivative(
  { loss, x, gradient }: GradientProblem,
  weights: Float64Array,
  first: number,
  end: number,
): { analytic: number; numeric: number } {
  const part = weights.subarray(first, end);
  const length = Math.sqrt(part.reduce((sum, weight) => sum + weight * weight, 0));
  const lossAt = (step: number): number => {
    const moved = x.slice();
    for (let i = first; i < end; i++) moved[i]! += (step * weights[i]!) / length;
    return loss(moved);
  };
  let analytic = 0;
  for (let i = first; i < end; i++) analytic += (gradient[i]! * weights[i]!) / length;
  return { analytic, numeric: (lossAt(STEP) - lossAt(-STEP)) / (2 * STEP) };
}

function locate(problem: GradientProblem, weights: Float64Array, from: number, to: number): WrongElement {
  let [first, end] = [from, to];
  const discrepancy = (a: number, b: number): number => {
    const { analytic, numeric } = derivative(problem, weights, a, b);
    const difference = Math.abs(analytic - numeric);
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  };
  while (end - first > 1) {
    const middle = (first + end) >> 1;
    if (discrepancy(first, middle) >= discrepancy(middle, end)) end = middle;
    else first = middle;
  }
  const { analytic, numeric } = derivative(problem, new Float64Array(weights.length).fill(1), first, end);
  return { at: first, analytic, numeric };
}
