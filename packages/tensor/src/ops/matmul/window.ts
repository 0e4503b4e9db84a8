/**
 * A window over images as an operand of a matrix product: what a convolution multiplies its weight by, read from the images where they lie and never written out
 * ("implicit GEMM"; Chetlur et al. 2014, https://arxiv.org/abs/1410.0759). It is a matrix [pixels, taps x channels]: pixel (b, y, x) of the grid and tap (i, j) name a place
 *
 *     (row, column) = stride * (y, x) + step * (i, j) - padding
 *
 * of image b, of which every `spread`-th place holds a pixel, places between and around them zeros. With spread and step 1 this is a convolution; the adjoint of
 * a window is one again, with stride and spread exchanged and step and padding negated, and so gives the gradient. Rows and columns of the matrix
 * come from indices by divisions, of which kernels do one side's before their loop: `place<name>(free)`, then `loadAt<name>(place, k)`.
 */
import type { Shape } from '../../base/shape';
import { range } from '../../base/whole-numbers';
import type { Tensor } from '../../graph/op';
import { indexDivision } from '../../kernels/index-division';
import type { KernelBuilder } from '../../kernels/kernel-builder';

/** Of rows, and of columns. */
export type Pair = readonly [number, number];

export interface Window {
  /** [B, H, W, C]. */
  readonly image: Shape;
  /** Rows and columns of what is computed. */
  readonly grid: Pair;
  readonly taps: Pair;
  readonly stride: Pair;
  readonly spread: Pair;
  readonly step: 1 | -1;
  /** Negative where the window begins within the image. */
  readonly padding: Pair;
}

/** Rows and columns of the matrix. */
export const windowSize = ({ image, grid, taps }: Window): Pair => [
  image[0]! * grid[0] * grid[1],
  taps[0] * taps[1] * image[3]!,
];

/** The window that takes gradients (or anything on this one's grid, of so many channels) back to the pixels of the image. */
export const adjointWindow = (
  { image, grid, stride, spread, step, padding, ...window }: Window,
  channels: number,
): Window => ({
  ...window,
  image: [image[0]!, ...grid, channels],
  grid: [image[1]!, image[2]!],
  stride: spread,
  spread: stride,
  step: step === 1 ? -1 : 1,
  padding: [-padding[0], -padding[1]],
});

/** Where in the image an element of the matrix is; undefined where it is zero. */
export function windowIndex(
  { image, grid, taps, stride, spread, step, padding }: Window,
  pixel: number,
  column: number,
): number | undefined {
  const [, H, W, C] = image as readonly [number, number, number, number];
  const [tap, channel] = [Math.floor(column / C), column % C];
  const inImage = pixel % (grid[0] * grid[1]);
  const row = stride[0] * Math.floor(inImage / grid[1]) + step * Math.floor(tap / taps[1]) - padding[0];
  const across = stride[1] * (inImage % grid[1]) + step * (tap % taps[1]) - padding[1];
  const [y, x] = [row / spread[0], across / spread[1]];
  if (!Number.isInteger(y) || !Number.isInteger(x) || y < 0 || x < 0 || y >= H || x >= W) return undefined;
  return ((Math.floor(pixel / (grid[0] * grid[1])) * H + y) * W + x) * C + channel;
}

/** The operand that shows the window. */
export interface WindowOperand {
  readonly name: 'A' | 'B';
  readonly tensor: Tensor;
  /** Whether k is taps and channels; otherwise it is pixels. */
  readonly alongK: boolean;
}

/** How a kernel takes elements of a window: `parts` at a time, each of `width` channels, which a multiple of makes all of them. */
export interface WindowUnit {
  readonly type: string;
  readonly width: number;
  readonly parts: number;
  /** Type of the whole, and its WGSL from that of the parts. */
  readonly result: string;
  readonly join: (parts: readonly string[]) => string;
}

/** Further outside than any tap reaches. */
const FAR = 2 ** 24;

/** Binds the images and returns the WGSL of `place<name>(free)` and `loadAt<name>(place, k)`; what lies outside of the matrix is zero. */
export function writeWindow(
  k: KernelBuilder,
  { name, tensor, alongK }: WindowOperand,
  window: Window,
  unit: WindowUnit,
): string {
  const { type, width, parts, result, join } = unit;
  const places = `array<vec3<i32>, ${parts}>`;
  const taps = (index: string): string[] => range(parts).map((j) => `tap${name}(${index} + ${j * width}u)`);
  // along k, all parts are of one pixel; otherwise each has a tap, or channels, of its own
  const [place, placed, loaded] = alongK
    ? ['vec3<i32>', `pixel${name}(free)`, taps('k').map((tap) => `at${name}(place, ${tap})`)]
    : [places, `${places}(${taps('free').join(', ')})`, range(parts).map((j) => `at${name}(pixel, place[${j}])`)];
  return `${writePlaces(k, name, window, width)}
${writeAt(k, name, window, width, k.read(tensor, type), type)}
fn place${name}(free: u32) -> ${place} { return ${placed}; }
fn loadAt${name}(place: ${place}, k: u32) -> ${result} {
  ${alongK ? '' : `let pixel = pixel${name}(k);`}
  return ${join(loaded)};
}`;
}

/** Whether pixels lie side by side, so that the place of an element is that of its pixel plus that of its tap. */
const isDense = ({ spread }: Window): boolean => spread[0] === 1 && spread[1] === 1;

/** `pixel<name>` and `tap<name>`: row and column, which add up, and a third number, from which `at` finds the element. */
function writePlaces(k: KernelBuilder, name: string, window: Window, width: number): string {
  const { image, grid, taps, stride, step, padding } = window;
  const [, H, W, C] = image as readonly [number, number, number, number];
  const [pixels, columns] = windowSize(window);
  const [perImage, perRow] = [
    indexDivision(k, grid[0] * grid[1], pixels),
    indexDivision(k, grid[1], grid[0] * grid[1]),
  ];
  const [perTap, tapsPerRow] = [indexDivision(k, C, columns), indexDivision(k, taps[1], taps[0] * taps[1])];
  const u = (value: number): string => k.uniform(value);
  const i = (value: number): string => `i32(${u(value)})`;
  const row = u(W);
  const channels = u(C / width);
  const ofPixel = isDense(window)
    ? `((image * ${u(H)} + u32(y)) * ${row} + u32(x)) * ${channels}`
    : `image * ${u(H * W)}`;
  const ofTap = isDense(window) ? `(u32(y) * ${row} + u32(x)) * ${channels} + channel` : 'channel';
  const direction = step === 1 ? '' : '-';
  return `fn pixel${name}(pixel: u32) -> vec3<i32> {
  let image = ${perImage.quotient('pixel')};
  let inImage = ${perImage.remainder('pixel')};
  let y = i32(${perRow.quotient('inImage')} * ${u(stride[0])}) - ${i(padding[0])};
  let x = i32(${perRow.remainder('inImage')} * ${u(stride[1])}) - ${i(padding[1])};
  return vec3<i32>(select(${FAR}, y, pixel < ${u(pixels)}), x, i32(${ofPixel}));
}
fn tap${name}(column: u32) -> vec3<i32> {
  let tap = ${perTap.quotient('column')};
  let channel = ${perTap.remainder('column')} / ${width}u;
  let y = ${direction}i32(${tapsPerRow.quotient('tap')});
  let x = ${direction}i32(${tapsPerRow.remainder('tap')});
  return vec3<i32>(select(${FAR}, y, column < ${u(columns)}), x, i32(${ofTap}));
}`;
}

/** `at<name>(pixel, tap)`: the element. */
function writeAt(k: KernelBuilder, name: string, window: Window, width: number, array: string, type: string): string {
  const { image, spread } = window;
  const [, H, W, C] = image as readonly [number, number, number, number];
  const [height, across] = [(H - 1) * spread[0] + 1, (W - 1) * spread[1] + 1];
  const within = `y < ${k.uniform(height)} && x < ${k.uniform(across)}`;
  const lines = isDense(window)
    ? [`let inside = ${within};`, 'let index = u32(pixel.z + tap.z);']
    : [
        ...[
          ['row', 'y', indexDivision(k, spread[0], height)] as const,
          ['column', 'x', indexDivision(k, spread[1], across)] as const,
        ].flatMap(([quotient, of, division]) => [`let ${quotient} = ${division.quotient(of)};`]),
        `let inside = ${within} && row * ${k.uniform(spread[0])} == y && column * ${k.uniform(spread[1])} == x;`,
        `let index = (u32(pixel.z) + row * ${k.uniform(W)} + column) * ${k.uniform(C / width)} + u32(tap.z);`,
      ];
  return `fn at${name}(pixel: vec3<i32>, tap: vec3<i32>) -> ${type} {
  let y = u32(pixel.x + tap.x);
  let x = u32(pixel.y + tap.y);
  ${lines.join('\n  ')}
  return select(${type}(), ${array}[select(0u, index, inside)], inside);
}`;
}
