/**
 * Bilinear resizing as OpenCV does it on 8-bit pictures (`cv2.resize` with `INTER_LINEAR`), to the bit: DINO's video protocol reads its frames so.
 *
 * Output pixel `x` of an axis of `n` pixels taken from `m` sits at `(x + 1/2) m/n - 1/2`, in single precision, and lies between two input pixels however
 * much the picture shrinks (no antialiasing). Weights are rounded to 11 bits. Rows come first and keep their 19 bits; between two rows the lowest 4
 * bits are dropped, then 16 of each product, and the last 2 are rounded. Source: OpenCV, imgproc/resize.
 */
import type { PixelImage } from '@franca/data';

/** Output `i` is the mean of inputs `first[i]` and `second[i]`, weighted `2048 - weight[i]` to `weight[i]`. */
interface Axis {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Int32Array;
}

const ONE = 2048;

/** RGB of `width x height`. */
export function resizeFixedPoint(image: PixelImage, width: number, height: number): PixelImage {
  const across = axis(image.width, width);
  const down = axis(image.height, height);
  const stride = 3 * width;
  const data = new Uint8Array(height * stride);
  // an input row serves several output rows where the picture grows
  const known = new Map<number, Int32Array>();
  const rowAt = (y: number): Int32Array => {
    const row = known.get(y) ?? resizedRow(image, y, across);
    if (!known.has(y) && known.size >= 2) known.delete(known.keys().next().value!);
    known.set(y, row);
    return row;
  };
  for (let y = 0; y < height; y++) {
    const above = rowAt(down.first[y]!);
    const below = rowAt(down.second[y]!);
    const lower = down.weight[y]!;
    const upper = ONE - lower;
    for (let i = 0; i < stride; i++)
      data[y * stride + i] = (((upper * (above[i]! >> 4)) >> 16) + ((lower * (below[i]! >> 4)) >> 16) + 2) >> 2;
  }
  return { width, height, channels: 3, data };
}

/** RGB [width of the output] of an input row, times 2048. */
function resizedRow({ width, channels, data }: PixelImage, y: number, { first, second, weight }: Axis): Int32Array {
  const row = new Int32Array(3 * first.length);
  for (let x = 0, to = 0; x < first.length; x++) {
    const left = (y * width + first[x]!) * channels;
    const right = (y * width + second[x]!) * channels;
    for (let c = 0; c < 3; c++, to++) row[to] = data[left + c]! * (ONE - weight[x]!) + data[right + c]! * weight[x]!;
  }
  return row;
}

/** Beyond the outer pixels both are the outer one. */
function axis(input: number, output: number): Axis {
  const scale = 1 / (output / input);
  const first = new Int32Array(output);
  const second = new Int32Array(output);
  const weight = new Int32Array(output);
  for (let i = 0; i < output; i++) {
    const place = Math.fround((i + 0.5) * scale - 0.5);
    const whole = Math.floor(place);
    first[i] = Math.min(Math.max(whole, 0), input - 1);
    second[i] = Math.min(whole + 1, input - 1);
    weight[i] = roundHalfEven((place - whole) * ONE);
  }
  return { first, second, weight };
}

function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
