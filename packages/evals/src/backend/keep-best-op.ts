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
 * What `position` holds: the bank index of the first score as two digits (a single f32 is exact up to 2^24 only), and how many of the `m`
 * are there.
 */
export const heapPosition = (firstIndex: number, count: number): number[] => [
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
    const [high = 0, low = 0, count = 0] = position!.data;
    const [k, n] = heapScores!.shape as [number, number];
    const [scores, indices] = [heapScores!.data.slice(), heapIndices!.data.slice()];
    for (let q = 0; q < n; q++) {
      const entries = Array.from({ length: k }, (_, j) => [scores[j * n + q]!, indices[j * n + q]!] as const);
      for (let c = 0; c < count; c++) entries.push([products!.data[c * n + q]!, high * DIGIT + low + c]);
      entries.sort(([a, i], [b, j]) => b - a || i - j);
      // a list in falling order, read backwards, is a heap with the worst first
      entries.slice(0, k).forEach(([score, index], j) => {
        scores[(k - 1 - j) * n + q] = score;
        indices[(k - 1 - j) * n + q] = index;
      });
    }
    return [scores, indices];
  },
  lower({ inputs: [products, , , position], outputs: [scores, indices], target }) {
    const [k, n] = scores!.shape as [number, number];
    const b = kernelBuilder('keepBest', target);
    const [X, P] = [b.read(products!), b.read(position!)];
    const [S, I] = [b.update(scores!), b.update(indices!)];
    const [size, entries] = [b.uniform(n), b.uniform(k)];
    const body = `
  if (thread >= ${size}) { return; }
  let q = thread;
  let first = u32(${P}[0]) * ${DIGIT}u + u32(${P}[1]);
  let count = u32(${P}[2]);
  var worst = ${S}[q];
  for (var c = 0u; c < count; c++) {
    let score = ${X}[c * ${size} + q];
    if (score <= worst) { continue; }
    var at = 0u;
    var child = 1u;
    while (child < ${entries}) {
      var down = child * ${size} + q;
      let other = down + ${size};
      if (child + 1u < ${entries} && isWorse(${S}[other], ${I}[other], ${S}[down], ${I}[down])) {
        child += 1u;
        down = other;
      }
      if (!isWorse(${S}[down], ${I}[down], score, first + c)) { break; }
      ${S}[at * ${size} + q] = ${S}[down];
      ${I}[at * ${size} + q] = ${I}[down];
      at = child;
      child = 2u * at + 1u;
    }
    ${S}[at * ${size} + q] = score;
    ${I}[at * ${size} + q] = first + c;
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

/** Heaps of one block of queries, in state: scores f32 and bank indices u32, both `[k, n]`. */
export interface Heaps {
  readonly scores: Tensor;
  readonly indices: Tensor;
}

/** Enters `products` `[m, n]` into the heaps of their queries; `position` is a knob `[3]` (see `heapPosition`). */
export function keepBest(products: Tensor, heaps: Heaps, position: Tensor): Heaps {
  const [scores, indices] = record(keepBestOp, [products, heaps.scores, heaps.indices, position], {});
  return { scores: scores!, indices: indices! };
}
