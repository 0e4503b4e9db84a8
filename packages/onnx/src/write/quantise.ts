/**
 * Weights of a linear layer in eight bits: w = scale_o (q - 128) with q in 1 .. 255 and a scale for each output o, its largest |w| over 127. They are u8 about 128
 * rather than i8 about 0: products of u8 with i8 saturate in the instructions of older x86 processors, products of u8 with u8 do not.
 */

/** What stands for zero. */
export const ZERO_POINT = 128;

/** Scales [outputs] of `weight` [outputs, inputs]; 1 for an output whose weights are all zero. */
export function scalesOf(weight: ArrayLike<number>, outputs: number): Float32Array {
  const inputs = weight.length / outputs;
  return Float32Array.from({ length: outputs }, (_, o) => {
    let largest = 0;
    for (let i = 0; i < inputs; i++) largest = Math.max(largest, Math.abs(weight[o * inputs + i]!));
    return largest > 0 ? largest / 127 : 1;
  });
}

/** `weight` [outputs, inputs] as bytes [inputs, outputs]. */
export function quantise(weight: ArrayLike<number>, outputs: number): Uint8Array {
  const inputs = weight.length / outputs;
  const scales = scalesOf(weight, outputs);
  const bytes = new Uint8Array(weight.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++)
      bytes[i * outputs + o] = ZERO_POINT + Math.round(weight[o * inputs + i]! / scales[o]!);
  }
  return bytes;
}
