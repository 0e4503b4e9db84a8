/**
 * Rows of the tokens of listed images, where images of several sizes share one tensor of tokens (see `segmentAttention`): what `gatherRows` takes to pick
 * images out of all segments at once. Each segment's list is written to its place by a kernel of its own.
 */
import { opError } from '../base/errors';
import { showShape } from '../base/shape';
import type { Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { indexDivision } from '../kernels/index-division';
import { kernelBuilder } from '../kernels/kernel-builder';
import { unitKernel } from '../kernels/unit-kernel';
import type { TokenSegment } from './attention/problem';

interface SegmentRowsAttrs {
  readonly segments: readonly TokenSegment[];
}

/** A segment with the length of its list, the tokens before it, and where its rows start in the output. */
interface Listed extends TokenSegment {
  readonly count: number;
  readonly before: number;
  readonly first: number;
}

function listedSegments(lists: readonly { shape: readonly number[] }[], { segments }: SegmentRowsAttrs): Listed[] {
  let [before, first] = [0, 0];
  return segments.map(({ B, N }, i) => {
    const own = { B, N, count: lists[i]!.shape[0]!, before, first };
    before += B * N;
    first += own.count * N;
    return own;
  });
}

const segmentRowsOp: Op<SegmentRowsAttrs> = {
  name: 'segmentRows',
  differentiable: false,
  infer(lists, attrs) {
    for (const { shape, dtype } of lists)
      if (shape.length !== 1 || dtype !== 'u32')
        opError('dtype', 'segmentRows', `images must be lists of u32, got ${dtype} ${showShape(shape)}`);
    const rows = listedSegments(lists, attrs).reduce((sum, { count, N }) => sum + count * N, 0);
    return [{ shape: [rows], dtype: 'u32' }];
  },
  reference(lists, attrs, [out]) {
    const rows = new Float64Array(out!.shape[0]!);
    listedSegments(lists, attrs).forEach(({ B, N, count, before, first }, segment) => {
      for (let i = 0; i < count * N; i++)
        rows[first + i] = before + Math.min(lists[segment]!.data[Math.floor(i / N)]!, B - 1) * N + (i % N);
    });
    return [rows];
  },
  lower: ({ inputs: lists, outputs: [out], attrs, target }) =>
    listedSegments(lists, attrs).flatMap(({ B, N, count, before, first }, segment) => {
      if (count === 0) return [];
      const k = kernelBuilder('segmentRows', target);
      const [list, rows] = [k.read(lists[segment]!), k.write(out!)];
      const { quotient, remainder } = indexDivision(k, N, count * N);
      const image = `min(${list}[${quotient('i')}], ${k.uniform(B - 1)})`;
      const body = `  ${rows}[${k.uniform(first)} + i] = ${k.uniform(before)} + ${image} * ${k.uniform(N)} + ${remainder('i')};`;
      return [unitKernel(k, { units: count * N, body, touched: new Map([[out!, count * N]]) })];
    }),
};

/**
 * For the images `lists[i]` (u32 [s]) of segment i, the rows of their tokens among those of all segments: u32 [sum of s N], in the order of the lists. They are the
 * segments { B: s, N } of what is gathered by them. An image out of range means the segment's last.
 */
export function segmentRows(lists: readonly Tensor[], segments: readonly TokenSegment[]): Tensor {
  if (!Array.isArray(lists) || !Array.isArray(segments) || lists.length !== segments.length)
    opError('argument', 'segmentRows', 'needs a list of images for each segment { B, N }');
  return record1(segmentRowsOp, lists, { segments });
}
