/**
 * Line search along a descent direction, to a step that meets the strong Wolfe conditions. They ask of the step `t`
 * enough decrease, `phi(t) <= phi(0) + c1 t phi'(0)`, and a flat enough slope, `|phi'(t)| <= c2 |phi'(0)|`. First the
 * step grows until an acceptable point is bracketed, then the bracket shrinks by the minimum of the cubic through both
 * ends.
 *
 * Source: Nocedal & Wright, Numerical Optimization, algorithms 3.5 and 3.6.
 */

/** A point on the line. */
export interface LinePoint {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
}

export interface StrongWolfeOptions {
  readonly decrease: number;
  readonly curvature: number;
  readonly maxEvaluations: number;
  /** Values that differ by no more than this share are equal. */
  readonly rounding: number;
}

/** Evaluates the objective at a step along the line. */
export type LineObjective<P extends LinePoint> = (step: number) => Promise<P>;

/** A point that meets both conditions; `undefined` when none was found within the evaluations allowed. */
export async function strongWolfe<P extends LinePoint>(
  start: LinePoint,
  firstStep: number,
  evaluate: LineObjective<P>,
  { decrease, curvature, maxEvaluations, rounding }: StrongWolfeOptions,
): Promise<P | undefined> {
  // Near the optimum, values differ by less than the rounding of their many terms; such a difference is no increase.
  const slack = rounding * Math.abs(start.value);
  const tooHigh = (point: LinePoint, low: LinePoint) =>
    point.value > start.value + decrease * point.step * start.slope + slack || point.value > low.value + slack;
  const flat = (point: LinePoint) => Math.abs(point.slope) <= curvature * Math.abs(start.slope);

  let low: LinePoint = start;
  let high: LinePoint | undefined;
  let step = firstStep;
  for (let i = 0; i < maxEvaluations; i++) {
    const point = await evaluate(step);
    if (!Number.isFinite(point.value) || tooHigh(point, low)) {
      high = point;
    } else {
      if (flat(point)) return point;
      // The minimum lies on the side to which the function falls.
      const fallsTowards = high ? high.step - low.step : 1;
      if (point.slope * fallsTowards >= 0) high = low;
      low = point;
    }
    step = high ? insideStep(low, high) : 2 * low.step;
  }
  return undefined;
}

/** Minimum of the cubic through both ends, kept a tenth of the bracket away from them. */
function insideStep(a: LinePoint, b: LinePoint): number {
  const width = b.step - a.step;
  const margin = 0.1 * Math.abs(width);
  const low = Math.min(a.step, b.step) + margin;
  const high = Math.max(a.step, b.step) - margin;
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.step - b.step);
  const d2 = Math.sign(width) * Math.sqrt(d1 * d1 - a.slope * b.slope);
  const minimum = b.step - width * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
  return Number.isFinite(minimum) ? Math.min(Math.max(minimum, low), high) : a.step + width / 2;
}
