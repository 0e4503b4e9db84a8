/**
 * Gradient norms of every parameter and every clip group, from the flat windows that gradients are stored in. Squares are summed by blocks
 * of 128 elements, then by parameter (on a GPU by pieces of it first, since it would wait for the team of the largest one), then by group, each in a fixed order.
 */
import {
  add,
  constant,
  div,
  finite,
  type GroupLayout,
  type Kernel,
  type KernelBuilder,
  type KernelSource,
  kernelBuilder,
  matmul,
  mul,
  type Op,
  record1,
  reshape,
  rowKernel,
  SEGMENT_ALIGNMENT,
  type Storage,
  scratch,
  sizeOf,
  sqrt,
  sum,
  type Target,
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
    const blocks = sizeOf(out!.shape);
    const source = { kind: 'optimizer' as const, flops: 2 * sizeOf(x!.shape) };
    return [target.family === 'cpu' ? threadPerBlock(k, X, O, blocks, source) : blocksOfTile(k, X, O, blocks, source)];
  },
};

const UNITS = SEGMENT_ALIGNMENT / 4;

type Source = Pick<KernelSource, 'kind' | 'flops'>;

/** A software adapter walks contiguous memory. */
const threadPerBlock = (k: KernelBuilder, X: string, O: string, blocks: number, source: Source): Kernel =>
  k.build({
    ...source,
    body: `
  if (thread >= ${k.uniform(blocks)}) { return; }
  var acc = 0.0;
  for (var i = thread * ${UNITS}u; i < thread * ${UNITS}u + ${k.uniform(UNITS)}; i++) { let g = ${X}[i]; acc += dot(g, g); }
  ${O}[thread] = acc;`,
    workgroupSize: 64,
    workgroups: Math.ceil(blocks / 64),
    serial: UNITS,
  });

/** Blocks of one workgroup on a GPU, and its threads. */
const TILE_BLOCKS = 32;
const TILE_THREADS = 256;

/** Neighbouring threads read neighbouring vectors; then each block is summed by one thread out of workgroup memory, whose banks the odd stride spreads. */
const blocksOfTile = (k: KernelBuilder, X: string, O: string, blocks: number, source: Source): Kernel =>
  k.build({
    ...source,
    declarations: `var<workgroup> squares: array<f32, ${TILE_BLOCKS * (UNITS + 1)}>;`,
    body: `
  let first = group * ${TILE_BLOCKS}u;
  let count = min(${k.uniform(blocks)} - min(first, ${k.uniform(blocks)}), ${TILE_BLOCKS}u);
  for (var i = lane; i < count * ${UNITS}u; i += ${TILE_THREADS}u) {
    let g = ${X}[first * ${UNITS}u + i];
    squares[i / ${UNITS}u * ${UNITS + 1}u + i % ${UNITS}u] = dot(g, g);
  }
  workgroupBarrier();
  if (lane < count) {
    var acc = 0.0;
    for (var i = 0u; i < ${k.uniform(UNITS)}; i++) { acc += squares[lane * ${UNITS + 1}u + i]; }
    ${O}[first + lane] = acc;
  }`,
    workgroupSize: TILE_THREADS,
    workgroups: Math.ceil(blocks / TILE_BLOCKS),
    serial: (TILE_BLOCKS * UNITS) / TILE_THREADS,
  });

/** Elements of a piece of a range, which one team of a GPU sums up. */
const PIECE = 4096;

interface RangeSumAttrs {
  /** Elements of the longest range, and pieces of it. */
  readonly longest: number;
  readonly mostPieces: number;
}

/** Sums of x over ranges of it [S, 2]. Where they come in pieces [P, 2], a GPU sums these first, and then those of each range, which `owned` [S, 2] names. */
const rangeSumOp: Op<RangeSumAttrs> = {
  name: 'rangeSum',
  infer: ([, ranges]) => [{ shape: [ranges!.shape[0]!], dtype: 'f32' }],
  reference: ([x, ranges]) => [
    Float64Array.from({ length: ranges!.shape[0]! }, (_, i) =>
      x!.data.subarray(ranges!.data[2 * i]!, ranges!.data[2 * i + 1]!).reduce((a, b) => a + b, 0),
    ),
  ],
  lower({ inputs: [x, ranges, pieces, owned], outputs: [out], attrs: { longest, mostPieces }, target }) {
    if (target.family === 'cpu' || !pieces) return [sumRanges(x!, ranges!, out!, longest, target)];
    const sums = scratch([pieces.shape[0]!], 'f32');
    return [sumRanges(x!, pieces, sums, PIECE, target), sumRanges(sums, owned!, out!, mostPieces, target)];
  },
};

/** A team of lanes for each range. */
function sumRanges(x: Storage, ranges: Tensor, out: Storage, longest: number, target: Target): Kernel {
  const k = kernelBuilder('rangeSum', target);
  const [X, R, O] = [k.read(x), k.read(ranges, 'vec2<u32>'), k.write(out)];
  const body = `
  let range = ${R}[row];
  var part = 0.0;
  for (var i = range.x + lane; i < range.y; i += LANES) { part += ${X}[i]; }
  let total = rowSum(part);
  if (lane == 0u) { ${O}[row] = total; }`;
  const rows = ranges.shape[0]!;
  return rowKernel(k, { body, rows, steps: longest, flops: sizeOf(x.shape), kind: 'optimizer' });
}

/** Sum of squares of each parameter's part of a window, [P]. */
function segmentSquares(window: Tensor, layout: GroupLayout, at: Window): Tensor {
  const ranges = Object.values(layout.segments).map((segment) => blockRange(segment, at));
  const pieces = ranges.map(({ first, end }) =>
    Array.from({ length: Math.ceil((end - first) / PIECE) }, (_, i) => ({
      first: first + i * PIECE,
      end: Math.min(first + (i + 1) * PIECE, end),
    })),
  );
  let count = 0;
  const owned = pieces.map(({ length }) => {
    const first = count;
    count += length;
    return { first, end: count };
  });
  const longest = Math.max(1, ...ranges.map(({ first, end }) => end - first));
  const mostPieces = Math.max(1, ...pieces.map(({ length }) => length));
  const lists = mostPieces > 1 ? [ranges, pieces.flat(), owned] : [ranges];
  return record1(rangeSumOp, [record1(blockSquaresOp, [window], {}), ...lists.map(rangeList)], { longest, mostPieces });
}

const rangeList = (ranges: readonly { readonly first: number; readonly end: number }[]): Tensor =>
  constant(
    ranges.flatMap(({ first, end }) => [first, end]),
    [ranges.length, 2],
    'u32',
  );
