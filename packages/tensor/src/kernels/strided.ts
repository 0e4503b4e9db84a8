/**
 * One kernel for every op that only moves elements: transposes, slices, pads. Output element i, at coordinates c, is the input element at
 * sum_d (c_d - before_d) * stride_d + base, or `fill` where a coordinate falls outside the input.
 */
import { type Shape, sizeOf, stridesOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Kernel, NdArray, Tensor } from '../graph/op';
import { indexDivision } from './index-division';
import { elementType, kernelBuilder } from './kernel-builder';
import { unitKernel } from './unit-kernel';

export interface StridedMap {
  /** Output dimensions that are looped over. */
  readonly dims: Shape;
  /** Input elements per step along each output dimension. */
  readonly strides: readonly number[];
  readonly base: number;
  /** Along each dimension, the output coordinates [first, end) that exist in the input; others get `fill`. */
  readonly bounds?: readonly (readonly [first: number, end: number])[];
  readonly fill?: number;
}

export function stridedReference(x: NdArray, { dims, strides, base, bounds, fill = 0 }: StridedMap): Float64Array {
  const out = new Float64Array(sizeOf(dims));
  const outStrides = stridesOf(dims);
  for (let i = 0; i < out.length; i++) {
    let offset = base;
    let inside = true;
    for (let d = 0; d < dims.length; d++) {
      const c = Math.floor(i / outStrides[d]!) % dims[d]!;
      const [first, end] = bounds?.[d] ?? [0, dims[d]!];
      if (c < first || c >= end) inside = false;
      offset += (c - first) * strides[d]!;
    }
    out[i] = inside ? x.data[offset]! : fill;
  }
  return out;
}

/** Drops dimensions of size 1 and merges neighbours that one stride walks. */
function simplify({ dims, strides, base, bounds, fill = 0 }: StridedMap): Required<StridedMap> {
  const out = { dims: [] as number[], strides: [] as number[], base, bounds: [] as [number, number][], fill };
  dims.forEach((dim, d) => {
    const [first, end] = bounds?.[d] ?? [0, dim];
    const last = out.dims.length - 1;
    const whole = first === 0 && end === dim;
    if (dim === 1 && whole) return;
    if (
      last >= 0 &&
      whole &&
      out.bounds[last]![0] === 0 &&
      out.bounds[last]![1] === out.dims[last] &&
      out.strides[last] === strides[d]! * dim
    ) {
      out.dims[last] *= dim;
      out.strides[last] = strides[d]!;
      out.bounds[last] = [0, out.dims[last]];
    } else {
      out.dims.push(dim);
      out.strides.push(strides[d]!);
      out.bounds.push([first, end]);
    }
  });
  return out;
}

export function stridedKernel(label: string, x: Tensor, out: Tensor, map: StridedMap, target: Target): Kernel {
  const { dims, strides, base, bounds, fill } = simplify(map);
  const last = dims.length - 1;
  const vector =
    last >= 0 &&
    strides[last] === 1 &&
    base % 4 === 0 &&
    dims[last]! % 4 === 0 &&
    bounds[last]!.every((bound) => bound % 4 === 0) &&
    strides.slice(0, last).every((stride) => stride % 4 === 0);
  const width = vector ? 4 : 1;
  const k = kernelBuilder(label, target);
  const source = k.read(x, elementType(x, width));
  const sink = k.write(out, elementType(out, width));
  const units = sizeOf(out.shape) / width;
  const lines = [`var rest = i; var at = ${k.uniform(base / width)}; var inside = true;`];
  for (let d = last; d >= 0; d--) {
    const scale = d === last ? width : 1;
    const [first, end] = bounds[d]!.map((bound) => bound / scale) as [number, number];
    const dim = dims[d]! / scale;
    const stride = d === last ? (width === 4 ? 1 : strides[d]!) : strides[d]! / width;
    if (d === 0) lines.push(`let c${d} = rest;`);
    else {
      const { quotient, remainder } = indexDivision(k, dim, units);
      lines.push(`let c${d} = ${remainder('rest')}; rest = ${quotient('rest')};`);
    }
    const clipped = first > 0 || end < dim;
    if (clipped) lines.push(`inside = inside && c${d} >= ${k.uniform(first)} && c${d} < ${k.uniform(end)};`);
    lines.push(
      clipped ? `at += (c${d} - ${k.uniform(first)}) * ${k.uniform(stride)};` : `at += c${d} * ${k.uniform(stride)};`,
    );
  }
  const clips = bounds.some(([first, end], d) => first > 0 || end < dims[d]!);
  const type = elementType(out, width);
  if (clips)
    lines.push(
      `var value = ${type}(${x.dtype}(${k.uniformF32(fill)}));`,
      `if (inside) { value = ${source}[at]; }`,
      `${sink}[i] = value;`,
    );
  else lines.push(`${sink}[i] = ${source}[at];`);
  const inside = bounds.reduce((elements, [first, end]) => elements * Math.max(end - first, 0), 1);
  const touched = new Map([[x, inside]]);
  return unitKernel(k, { units, body: lines.map((line) => `  ${line}`).join('\n'), touched });
}
