/**
 * Gradient norms of every parameter and every clip group, from the flat windows that gradients are stored in. Squares are summed by blocks
 * of 128 elements, then by parameter, then by group, each in a fixed order.
 */
import {
  add,
  constant,
  div,
  finite,
  type GroupLayout,
  kernelBuilder,
  matmul,
  mul,
  type Op,
  record1,
  reshape,
  rowKernel,
  SEGMENT_ALIGNMENT,
  sizeOf,
  sqrt,
  sum,
  type Tensor,
  type Window,
} from '@franca/tensor';
import { blockRange } from './segment-blocks';

export interface GradientNorms {
  /** Squared norm of each parameter [P], unscaled. */
  readonly squaredNorms: Tensor;
  /** The clip groups, and the norm of each [G], unscaled. */
  readonly groups: readonly string[];
  readonly norms: Tensor;
  /** u32 1 if all gradients are finite. */
  readonly finite: Tensor;
  /** One over the loss scale, if there is one. */
  readonly unscale: Tensor | undefined;
}

/** `clipGroups` names the group of each parameter; `lossScale` is what the loss was multiplied by. */
export function gradientNorms(
  windows: readonly Tensor[],
  layout: GroupLayout,
  clipGroups: readonly string[],
  lossScale: Tensor | undefined,
): GradientNorms {
  const groups = [...new Set(clipGroups)];
  const [P, G] = [clipGroups.length, groups.length];
  const unscale = lossScale ? div(1, lossScale) : undefined;
  const raw = windows
    .map((window, i) => segmentSquares(window, layout, layout.windows[i]!))
    .reduce((a, b) => add(a, b));
  const squaredNorms = unscale ? mul(raw, mul(unscale, unscale)) : raw;
  const membership = clipGroups.flatMap((own) => groups.map((group) => Number(own === group)));
  const norms = sqrt(reshape(matmul(reshape(squaredNorms, [1, P]), constant(membership, [P, G])), [G]));
  return { squaredNorms, groups, norms, finite: finite(sum(norms)), unscale };
}

const blockSquaresOp: Op<object> = {
  name: 'blockSquares',
  infer: ([x]) => [{ shape: [x!.shape[0]! / SEGMENT_ALIGNMENT], dtype: 'f32' }],
  reference: ([x], _, [out]) => [
    Float64Array.from({ length: sizeOf(out!.shape) }, (_, b) =>
      x!.data.subarray(b * SEGMENT_ALIGNMENT, (b + 1) * SEGMENT_ALIGNMENT).reduce((s, g) => s + g * g, 0),
    ),
  ],
  lower({ inputs: [x], outputs: [out], target }) {
    const k = kernelBuilder('blockSquares', target);
    const [X, O] = [k.read(x!, 'vec4<f32>'), k.write(out!)];
    const body = `
  if (thread >= ${k.uniform(sizeOf(out!.shape))}) { return; }
  var acc = 0.0;
  for (var i = thread * ${SEGMENT_ALIGNMENT / 4}u; i < thread * ${SEGMENT_ALIGNMENT / 4}u + ${k.uniform(SEGMENT_ALIGNMENT / 4)}; i++) { let g = ${X}[i]; acc += dot(g, g); }
  ${O}[thread] = acc;`;
    return [
      k.build({
        body,
        workgroupSize: 64,
        workgroups: Math.ceil(sizeOf(out!.shape) / 64),
        kind: 'optimizer',
        flops: 2 * sizeOf(x!.shape),
        serial: SEGMENT_ALIGNMENT / 4,
      }),
    ];
  },
};

/** Sums of x over ranges of it, of which the longest has `longest` elements. */
const rangeSumOp: Op<{ longest: number }> = {
  name: 'rangeSum',
  infer: ([, ranges]) => [{ shape: [ranges!.shape[0]!], dtype: 'f32' }],
  reference: ([x, ranges]) => [
    Float64Array.from({ length: ranges!.shape[0]! }, (_, i) =>
      x!.data.subarray(ranges!.data[2 * i]!, ranges!.data[2 * i + 1]!).reduce((a, b) => a + b, 0),
    ),
  ],
  lower({ inputs: [x, ranges], outputs: [out], attrs: { longest }, target }) {
    const k = kernelBuilder('rangeSum', target);
    const [X, R, O] = [k.read(x!), k.read(ranges!, 'vec2<u32>'), k.write(out!)];
    const body = `
  let range = ${R}[row];
  var part = 0.0;
  for (var i = range.x + lane; i < range.y; i += LANES) { part += ${X}[i]; }
  let total = rowSum(part);
  if (lane == 0u) { ${O}[row] = total; }`;
    return [
      rowKernel(k, { body, rows: ranges!.shape[0]!, steps: longest, flops: sizeOf(x!.shape), kind: 'optimizer' }),
    ];
  },
};

/** Sum of squares of each parameter's part of a window, [P]. */
function segmentSquares(window: Tensor, layout: GroupLayout, at: Window): Tensor {
  const segments = Object.values(layout.segments);
  const ranges = segments.map((segment) => blockRange(segment, at));
  const longest = Math.max(1, ...ranges.map(({ first, end }) => end - first));
  const list = constant(
    ranges.flatMap(({ first, end }) => [first, end]),
    [segments.length, 2],
    'u32',
  );
  return record1(rangeSumOp, [record1(blockSquaresOp, [window], {}), list], { longest });
}
