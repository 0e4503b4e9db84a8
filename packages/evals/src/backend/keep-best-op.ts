/**
 * The op of top-k search: the running best `k` of many queries, kept on the device. Each query has a binary heap with
 * its worst entry at the root: a candidate that does not beat the root costs one comparison, any other takes the root's
 * place and sinks, `log2 k` steps. One invocation per query walks over the new scores, which lie bank-major `[m, n]` so
 * that neighbouring invocations read neighbouring numbers. Lower scores are worse, and of equal ones the higher index;
 * candidates come in ascending order of index, so one that equals the root is worse than it and needs no look at the
 * indices.
 *
 * Heaps are `[k, queries]`, entry `j`'s children are `2 j + 1` and `2 j + 2`.
 */
import { kernelBuilder, type Op, record, sizeOf, type Tensor } from '@franca/tensor';

/** What empty entries of a heap hold. */
export const EMPTY_SCORE = -3.4028234663852886e38;

/**
 * What `position` holds: the block of `n` queries that the scores belong to, the bank index of the first of them as two digits
 * (a single f32 is exact up to 2^24 only), and how many of the `m` are there.
 */
export const heapPosition = (block: number, firstIndex: number, count: number): number[] => [
  block,
  Math.floor(firstIndex / DIGIT),
  firstIndex % DIGIT,
  count,
];
const DIGIT = 65536;

const keepBestOp: Op<object> = {
  name: 'keepBest',
  infer: ([, scores, indices]) => [scores!, indices!],
  mutates: [1, 2],
  reference([products, heapScores, heapIndices, position]) {
    const [block = 0, high = 0, low = 0, count = 0] = position!.data;
    const [k, stride] = heapScores!.shape as [number, number];
    const n = products!.shape[1]!;
    const [scores, indices] = [heapScores!.data.slice(), heapIndices!.data.slice()];
    for (let i = 0; i < n; i++) {
      const q = block * n + i;
      const entries = Array.from({ length: k }, (_, j) => [scores[j * stride + q]!, indices[j * stride + q]!] as const);
      for (let c = 0; c < count; c++) entries.push([products!.data[c * n + i]!, high * DIGIT + low + c]);
      entries.sort(([a, i], [b, j]) => b - a || i - j);
      // a list in falling order, read backwards, is a heap with the worst first
      entries.slice(0, k).forEach(([score, index], j) => {
        scores[(k - 1 - j) * stride + q] = score;
        indices[(k - 1 - j) * stride + q] = index;
      });
    }
    return [scores, indices];
  },
  lower({ inputs: [products, , , position], outputs: [scores, indices], target }) {
    const [k, stride] = scores!.shape as [number, number];
    const n = products!.shape[1]!;
    const b = kernelBuilder('keepBest', target);
    const [X, P] = [b.read(products!), b.read(position!)];
    const [S, I] = [b.update(scores!), b.update(indices!)];
    const [size, entries, step] = [b.uniform(n), b.uniform(k), b.uniform(stride)];
    const body = `
  if (thread >= ${size}) { return; }
  let q = u32(${P}[0]) * ${size} + thread;
  let first = u32(${P}[1]) * ${DIGIT}u + u32(${P}[2]);
  let count = u32(${P}[3]);
  var worst = ${S}[q];
  for (var c = 0u; c < count; c++) {
    let score = ${X}[c * ${size} + thread];
    if (score <= worst) { continue; }
    var at = 0u;
    var child = 1u;
    while (child < ${entries}) {
      var down = child * ${step} + q;
      let other = down + ${step};
      if (child + 1u < ${entries} && isWorse(${S}[other], ${I}[other], ${S}[down], ${I}[down])) {
        child += 1u;
        down = other;
      }
      if (!isWorse(${S}[down], ${I}[down], score, first + c)) { break; }
      ${S}[at * ${step} + q] = ${S}[down];
      ${I}[at * ${step} + q] = ${I}[down];
      at = child;
      child = 2u * at + 1u;
    }
    ${S}[at * ${step} + q] = score;
    ${I}[at * ${step} + q] = first + c;
    worst = ${S}[q];
  }`;
    const declarations = `fn isWorse(a: f32, i: u32, b: f32, j: u32) -> bool { return a < b || (a == b && i > j); }`;
    const workgroups = Math.ceil(n / 64);
    return [
      b.build({
        body,
        declarations,
        workgroupSize: 64,
        workgroups,
        flops: sizeOf(products!.shape),
        serial: products!.shape[0]!,
      }),
    ];
  },
};

/** Heaps of state: scores f32 and bank indices u32, both `[k, queries]`. */
export interface Heaps {
  readonly scores: Tensor;
  readonly indices: Tensor;
}

/** Enters `products` `[m, n]` of one block of queries into their heaps; `position` is a knob `[4]` (see `heapPosition`). */
export function keepBest(products: Tensor, heaps: Heaps, position: Tensor): Heaps {
  const [scores, indices] = record(keepBestOp, [products, heaps.scores, heaps.indices, position], {});
  return { scores: scores!, indices: indices! };
}
