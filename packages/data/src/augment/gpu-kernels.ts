/**
 * The view renderer in WGSL: five kernels over the views of one size, one compute pass.
 *
 *   narrow   crop, horizontal bicubic pass, flip        images   -> narrowed  [box height, size]
 *   shrink   vertical bicubic pass                      narrowed -> pixels    [size, size]
 *   measure  sum of luma where contrast will need it    pixels   -> lumaSums
 *   recolor  colour jitter, grayscale                   pixels   -> pixels
 *   finish   blur, solarize, normalise                  pixels   -> result    [slots, 3, size, size]
 *
 * Pixels are RGB bytes in one word, so every step rounds where the TypeScript twin (`render-view.ts`) rounds. Invocations
 * do not share memory; the one sum is of integers, so any order gives the same. Bicubic weights are evaluated where they
 * are used: the position of an output pixel in the input is split exactly into whole pixels and a fraction, which keeps
 * single precision weights accurate to about 1e-7 whatever the size of the image. Hue runs in integers.
 */

import { HUE_FALLS } from './hue';

/** Words of the record of one view; the fields are written by `gpu-records.ts`. */
export const VIEW_WORDS = 24;

/** Words of the frame: size, padding to 16 bytes, mean and standard deviation as vectors. */
export const FRAME_WORDS = 12;

/** Side of the two-dimensional workgroups. */
export const TILE = 8;

/** Invocations that share the sum of one view, and their workgroup size. */
export const MEASURE_LANES = 512;
export const MEASURE_GROUP = 64;

/** Entry points in the order of execution. */
export const ENTRY_POINTS = ['narrow', 'shrink', 'measure', 'recolor', 'finish'] as const;

const DECLARATIONS = /* wgsl */ `
struct View {
  imageByte: u32,
  rowBytes: u32,
  pixelBytes: u32,
  left: u32,
  top: u32,
  width: u32,
  height: u32,
  flip: u32,
  narrowed: u32,
  steps: u32,
  brightness: f32,
  contrast: f32,
  saturation: f32,
  hueShift: u32,
  grayscale: u32,
  solarize: u32,
  slot: u32,
  blurRadius: u32,
  blurWeights: array<f32, 6>,
}
struct Frame {
  size: u32,
  mean: vec3f,
  deviation: vec3f,
}
@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<storage, read> views: array<View>;
@group(0) @binding(2) var<storage, read> images: array<u32>;
@group(0) @binding(3) var<storage, read_write> narrowed: array<u32>;
@group(0) @binding(4) var<storage, read_write> pixels: array<u32>;
@group(0) @binding(5) var<storage, read_write> lumaSums: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> result: array<Result>;

fn pack(rgb: vec3u) -> u32 { return rgb.r | (rgb.g << 8u) | (rgb.b << 16u); }
fn unpack(word: u32) -> vec3u { return vec3u(word & 255u, (word >> 8u) & 255u, (word >> 16u) & 255u); }
fn rounded(color: vec3f) -> vec3u { return vec3u(floor(clamp(color, vec3f(0.0), vec3f(255.0)) + 0.5)); }
`;

const resize = (): string => /* wgsl */ `
fn imagePixel(view: u32, x: u32, y: u32) -> vec3u {
  let byte = views[view].imageByte + y * views[view].rowBytes + x * views[view].pixelBytes;
  let shift = (byte & 3u) * 8u;
  var word = images[byte >> 2u] >> shift;
  if (shift > 8u) { word |= images[(byte >> 2u) + 1u] << (32u - shift); }
  return unpack(word);
}

fn cubic(distance: f32) -> f32 {
  let x = abs(distance);
  if (x < 1.0) { return (1.5 * x - 2.5) * x * x + 1.0; }
  if (x < 2.0) { return ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0; }
  return 0.0;
}

struct Taps { start: i32, end: i32, whole: i32, fraction: f32, stretch: f32 }

fn tapsOf(output: u32, input: u32) -> Taps {
  let numerator = (2u * output + 1u) * input;
  let denominator = 2u * frame.size;
  let whole = i32(numerator / denominator);
  let fraction = f32(numerator % denominator) / f32(denominator);
  let stretch = max(f32(input) / f32(frame.size), 1.0);
  let start = max(0, whole + i32(floor(fraction - 2.0 * stretch + 0.5)));
  let end = min(i32(input), whole + i32(floor(fraction + 2.0 * stretch + 0.5)));
  return Taps(start, end, whole, fraction, stretch);
}

fn weightAt(taps: Taps, position: i32) -> f32 {
  return cubic((f32(position - taps.whole) + 0.5 - taps.fraction) / taps.stretch);
}

@compute @workgroup_size(${TILE}, ${TILE}) fn narrow(@builtin(global_invocation_id) id: vec3u) {
  let view = id.z;
  if (id.x >= frame.size || id.y >= views[view].height) { return; }
  let taps = tapsOf(select(id.x, frame.size - 1u - id.x, views[view].flip == 1u), views[view].width);
  var color = vec3f(0.0);
  var total = 0.0;
  for (var i = taps.start; i < taps.end; i++) {
    let weight = weightAt(taps, i);
    color += weight * vec3f(imagePixel(view, views[view].left + u32(i), views[view].top + id.y));
    total += weight;
  }
  narrowed[views[view].narrowed + id.y * frame.size + id.x] = pack(rounded(color / total));
}

@compute @workgroup_size(${TILE}, ${TILE}) fn shrink(@builtin(global_invocation_id) id: vec3u) {
  let view = id.z;
  if (id.x >= frame.size || id.y >= frame.size) { return; }
  let taps = tapsOf(id.y, views[view].height);
  var color = vec3f(0.0);
  var total = 0.0;
  for (var i = taps.start; i < taps.end; i++) {
    let weight = weightAt(taps, i);
    color += weight * vec3f(unpack(narrowed[views[view].narrowed + u32(i) * frame.size + id.x]));
    total += weight;
  }
  pixels[(view * frame.size + id.y) * frame.size + id.x] = pack(rounded(color / total));
}
`;

/** The levels of `HUE_FALLS` as bits of eight words. */
const hueFallsWords = (): number[] =>
  Array.from({ length: 8 }, (_, word) =>
    HUE_FALLS.subarray(word * 32, word * 32 + 32).reduce((bits, falls, bit) => bits | (falls << bit), 0),
  );

const recolor = (): string => /* wgsl */ `
const HUE_FALLS = array<u32, 8>(${hueFallsWords()
  .map((bits) => `${bits >>> 0}u`)
  .join(', ')});
const BRIGHTNESS = 1u;
const CONTRAST = 2u;
const SATURATION = 3u;
const HUE = 4u;

fn luma(rgb: vec3u) -> u32 { return (19595u * rgb.r + 38470u * rgb.g + 7471u * rgb.b + 32768u) >> 16u; }

fn blend(degenerate: u32, rgb: vec3u, factor: f32) -> vec3u {
  let base = vec3f(f32(degenerate));
  return vec3u(clamp(base + factor * (vec3f(rgb) - base), vec3f(0.0), vec3f(255.0)));
}

fn rotateHue(rgb: vec3u, shift: u32) -> vec3u {
  let value = max(rgb.r, max(rgb.g, rgb.b));
  let range = value - min(rgb.r, min(rgb.g, rgb.b));
  if (range == 0u) { return rgb; }
  let color = vec3i(rgb);
  var sixths = 4 * i32(range) + color.r - color.g;
  if (rgb.r == value) { sixths = color.g - color.b; } else if (rgb.g == value) { sixths = 2 * i32(range) + color.b - color.r; }
  if (sixths < 0) { sixths += 6 * i32(range); }
  let numerator = 85u * u32(sixths);
  var level = numerator / (2u * range);
  if (level * 2u * range == numerator) { level -= (HUE_FALLS[level >> 5u] >> (level & 31u)) & 1u; }
  let hue = (level + shift) & 255u;
  let saturation = 255u * range / value;
  let fraction = (hue * 6u) % 255u;
  let low = (2u * value * (255u - saturation) + 255u) / 510u;
  let falling = (2u * value * (65025u - saturation * fraction) + 65025u) / 130050u;
  let rising = (2u * value * (65025u - saturation * (255u - fraction)) + 65025u) / 130050u;
  switch (hue * 6u / 255u) {
    case 1u: { return vec3u(falling, value, low); }
    case 2u: { return vec3u(low, value, rising); }
    case 3u: { return vec3u(low, falling, value); }
    case 4u: { return vec3u(rising, low, value); }
    case 5u: { return vec3u(value, low, falling); }
    default: { return vec3u(value, rising, low); }
  }
}

fn adjust(rgb: vec3u, view: u32, step: u32, meanLuma: u32) -> vec3u {
  switch (step) {
    case BRIGHTNESS: { return blend(0u, rgb, views[view].brightness); }
    case CONTRAST: { return blend(meanLuma, rgb, views[view].contrast); }
    case SATURATION: { return blend(luma(rgb), rgb, views[view].saturation); }
    default: { return rotateHue(rgb, views[view].hueShift); }
  }
}

fn hasContrast(steps: u32) -> bool {
  for (var rest = steps; rest != 0u; rest >>= 4u) { if ((rest & 15u) == CONTRAST) { return true; } }
  return false;
}

@compute @workgroup_size(${MEASURE_GROUP}) fn measure(@builtin(global_invocation_id) id: vec3u) {
  let view = id.z;
  let plane = frame.size * frame.size;
  if (!hasContrast(views[view].steps)) { return; }
  var sum = 0u;
  for (var i = id.x; i < plane; i += ${MEASURE_LANES}u) {
    var rgb = unpack(pixels[view * plane + i]);
    for (var rest = views[view].steps; (rest & 15u) != CONTRAST; rest >>= 4u) { rgb = adjust(rgb, view, rest & 15u, 0u); }
    sum += luma(rgb);
  }
  atomicAdd(&lumaSums[view], sum);
}

@compute @workgroup_size(${TILE}, ${TILE}) fn recolor(@builtin(global_invocation_id) id: vec3u) {
  let view = id.z;
  if (id.x >= frame.size || id.y >= frame.size) { return; }
  let plane = frame.size * frame.size;
  let meanLuma = (2u * atomicLoad(&lumaSums[view]) + plane) / (2u * plane);
  let at = view * plane + id.y * frame.size + id.x;
  var rgb = unpack(pixels[at]);
  for (var rest = views[view].steps; rest != 0u; rest >>= 4u) { rgb = adjust(rgb, view, rest & 15u, meanLuma); }
  if (views[view].grayscale == 1u) { rgb = vec3u(luma(rgb)); }
  pixels[at] = pack(rgb);
}
`;

const finish = (): string => /* wgsl */ `
fn reflected(index: i32) -> u32 {
  let inside = abs(index);
  return u32(select(inside, 2 * (i32(frame.size) - 1) - inside, inside >= i32(frame.size)));
}

fn blurred(view: u32, x: u32, y: u32) -> vec3u {
  let radius = i32(views[view].blurRadius);
  var color = vec3f(0.0);
  for (var dy = -radius; dy <= radius; dy++) {
    let row = (view * frame.size + reflected(i32(y) + dy)) * frame.size;
    for (var dx = -radius; dx <= radius; dx++) {
      let weight = views[view].blurWeights[abs(dy)] * views[view].blurWeights[abs(dx)];
      color += weight * vec3f(unpack(pixels[row + reflected(i32(x) + dx)]));
    }
  }
  return rounded(color);
}

@compute @workgroup_size(${TILE}, ${TILE}) fn finish(@builtin(global_invocation_id) id: vec3u) {
  let view = id.z;
  if (id.x >= frame.size || id.y >= frame.size) { return; }
  var rgb = blurred(view, id.x, id.y);
  rgb = select(rgb, 255u - rgb, rgb >= vec3u(views[view].solarize));
  let color = (vec3f(rgb) / 255.0 - frame.mean) / frame.deviation;
  let plane = frame.size * frame.size;
  let at = views[view].slot * 3u * plane + id.y * frame.size + id.x;
  result[at] = Result(color.r);
  result[at + plane] = Result(color.g);
  result[at + 2u * plane] = Result(color.b);
}
`;

/** The module's source for results in f32, or in f16 where the device has `shader-f16`. */
export function gpuKernels(format: 'f32' | 'f16'): string {
  const result = format === 'f16' ? 'enable f16;\nalias Result = f16;\n' : 'alias Result = f32;\n';
  return result + DECLARATIONS + resize() + recolor() + finish();
}
