/** Weights as f16: rounded to nearest, ties to even; what f16 cannot hold is refused. */
import { setFloat16 } from '@petamoriken/float16';
import { OnnxError } from '../errors';

/** The largest f16 is 65,504; from 65,520 on a number rounds to infinity. */
const LIMIT = 65520;

/** Bits of f16, little-endian. `name` is what messages call the tensor. @throws OnnxError `model` for numbers beyond f16 */
export function toHalf(values: ArrayLike<number>, name: string): Uint8Array {
  const out = new DataView(new ArrayBuffer(2 * values.length));
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(Math.abs(value) < LIMIT))
      throw new OnnxError('model', `"${name}" holds ${value}, which f16 does not; write the model as f32`);
    setFloat16(out, 2 * i, value, true);
  }
  return new Uint8Array(out.buffer);
}
