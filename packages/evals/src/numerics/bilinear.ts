/**
 * Bilinear resampling of `[h, w, channels]` maps in f64, and its adjoint. Pixel centres lie at half-integers (torch's
 * `align_corners=false`, no antialiasing): output `i` reads source position `(i + 0.5) * in / out - 0.5`, clamped to
 * the map; with the corners aligned, `i * (in - 1) / (out - 1)`. It is a fixed linear map, so its adjoint carries gradients from pixels back to patches.
 *
 * The same rule stands in `@franca/tensor` as a matrix of weights for an op, and in `@franca/viz` for pictures, without
 * adjoint; each is a few lines on its own data, and `viz` imports none of the others.
 */

/** Rows and columns of a map. */
export type Extent = readonly [rows: number, cols: number];

/** Where each output index reads: `(1 - weight) * source[low] + weight * source[high]`. */
export interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float64Array;
}

/** Of all outputs of one axis. */
export function taps(input: number, output: number, corners = false): Taps {
  const low = new Int32Array(output);
  const high = new Int32Array(output);
  const weight = new Float64Array(output);
  for (let i = 0; i < output; i++) {
    const position = corners
      ? (i * (input - 1)) / Math.max(1, output - 1)
      : Math.max(0, ((i + 0.5) * input) / output - 0.5);
    low[i] = Math.min(Math.floor(position), input - 1);
    high[i] = Math.min(low[i]! + 1, input - 1);
    weight[i] = position - low[i]!;
  }
  return { low, high, weight };
}

/** Resampling between two fixed extents. */
export interface Bilinear {
  /** `source` `[from, channels]` to `out` `[to, channels]`. */
  readonly apply: (source: ArrayLike<number>, out: Float64Array, channels: number) => void;
  /** Adds the adjoint: `gradient` `[to, channels]` onto `out` `[from, channels]`. */
  readonly adjoint: (gradient: Float64Array, out: Float64Array, channels: number) => void;
}

/** @param corners whether those of both extents are aligned */
export function bilinear(from: Extent, to: Extent, corners = false): Bilinear {
  const y = taps(from[0], to[0], corners);
  const x = taps(from[1], to[1], corners);
  const corner = (row: number, col: number, channels: number) => (row * from[1] + col) * channels;

  function apply(source: ArrayLike<number>, out: Float64Array, channels: number): void {
    for (let i = 0, o = 0; i < to[0]; i++) {
      const v = y.weight[i]!;
      for (let j = 0; j < to[1]; j++) {
        const u = x.weight[j]!;
        const ll = corner(y.low[i]!, x.low[j]!, channels);
        const lh = corner(y.low[i]!, x.high[j]!, channels);
        const hl = corner(y.high[i]!, x.low[j]!, channels);
        const hh = corner(y.high[i]!, x.high[j]!, channels);
        for (let c = 0; c < channels; c++, o++) {
          const top = source[ll + c]! * (1 - u) + source[lh + c]! * u;
          const bottom = source[hl + c]! * (1 - u) + source[hh + c]! * u;
          out[o] = top * (1 - v) + bottom * v;
        }
      }
    }
  }

  function adjoint(gradient: Float64Array, out: Float64Array, channels: number): void {
    for (let i = 0, o = 0; i < to[0]; i++) {
      const v = y.weight[i]!;
      for (let j = 0; j < to[1]; j++) {
        const u = x.weight[j]!;
        const ll = corner(y.low[i]!, x.low[j]!, channels);
        const lh = corner(y.low[i]!, x.high[j]!, channels);
        const hl = corner(y.high[i]!, x.low[j]!, channels);
        const hh = corner(y.high[i]!, x.high[j]!, channels);
        for (let c = 0; c < channels; c++, o++) {
          const g = gradient[o]!;
          out[ll + c]! += g * (1 - u) * (1 - v);
          out[lh + c]! += g * u * (1 - v);
          out[hl + c]! += g * (1 - u) * v;
          out[hh + c]! += g * u * v;
        }
      }
    }
  }

  return { apply, adjoint };
}
