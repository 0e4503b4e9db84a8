/** Compares what an f16 kernel wrote with what f32 gave, piece by piece. */
import { type DType, isFloat } from '../base/dtype';
import type { Seen } from './op-alone';

export interface Comparison {
  /** Floats that were compared: those that are finite in f32. */
  readonly compared: number;
  /** Largest difference of an output over its largest value. */
  readonly difference: number;
  /** What is no matter of degree: infinities and NaN where there should be numbers. */
  readonly problem?: string;
}

const LARGEST_HALF = 65504;

/** `types` are those of the outputs. Where f32 goes beyond the range of f16, an f16 output may be infinite. */
export function comparePieces(own: readonly Seen[], reference: readonly Seen[], types: readonly DType[]): Comparison {
  let compared = 0;
  const worst = types.map(() => 0);
  const scale = types.map(() => 0);
  for (const [piece, { output, first, values }] of reference.entries()) {
    const dtype = types[output]!;
    if (!isFloat(dtype)) continue;
    for (let i = 0; i < values.length; i++) {
      const [expected, actual] = [values[i]!, own[piece]!.values[i]!];
      if (!Number.isFinite(expected)) continue;
      if (!Number.isFinite(actual)) {
        if (dtype === 'f16' && Math.abs(expected) >= LARGEST_HALF) continue;
        return { compared, difference: 0, problem: `gives ${actual} at ${first + i} where f32 gives ${expected}` };
      }
      compared++;
      scale[output] = Math.max(scale[output]!, Math.abs(expected));
      worst[output] = Math.max(worst[output]!, Math.abs(actual - expected));
    }
  }
  const relative = worst.map((difference, output) => (difference === 0 ? 0 : difference / scale[output]!));
  return { compared, difference: Math.max(0, ...relative) };
}
