/**
 * One small graph per op and per path through its lowering. `wgsl-variants.test.ts` plans them for every kind of adapter. A new op adds a
 * line here, an elementwise one in `elementwise-cases.ts`. Inputs come in the size n, which is once a multiple of 4 and once not, because
 * that decides between vectors and scalars.
 */
import type { DType } from '../base/dtype';
import type { Spec, Tensor } from '../graph/op';
import * as f from '../index';
import type { TensorTree } from '../step';
import { ELEMENTWISE_CASES } from './elementwise-cases';

export interface TestGraph {
  readonly name: string;
  /** Inputs whose type is not given take each of `dtypes` in turn (default f32 and f16). */
  readonly inputs: (n: number) => Readonly<Record<string, { readonly shape: f.Shape; readonly dtype?: DType }>>;
  readonly build: (inputs: Readonly<Record<string, Tensor>>) => TensorTree;
  readonly dtypes?: readonly DType[];
  readonly sizes?: readonly number[];
  /** Plan the gradients of all outputs with respect to all float inputs too (default true). */
  readonly gradient?: boolean;
}

type Inputs = Record<string, Tensor>;
const matrix = (n: number): Record<string, Omit<Spec, 'dtype'>> => ({ x: { shape: [5, n] } });
const one = (name: string, build: (x: Tensor) => TensorTree, more: Partial<TestGraph> = {}): TestGraph => ({
  name,
  inputs: matrix,
  build: ({ x }: Inputs) => build(x!),
  ...more,
});
const index = (shape: f.Shape): Spec => ({ shape, dtype: 'u32' });
const SEED = { shape: [2], dtype: 'u32' } as const;

const OPERANDS: Readonly<Record<1 | 2, TestGraph['inputs']>> = {
  1: (n) => ({ a: { shape: [5, n] } }),
  2: (n) => ({ a: { shape: [5, n] }, b: { shape: [n] } }),
};
const ARITHMETIC = Object.values(ELEMENTWISE_CASES).filter(
  ({ operands, gradient = true }) => operands === 2 && gradient,
);

export const TEST_GRAPHS: readonly TestGraph[] = [
  ...Object.entries(ELEMENTWISE_CASES).map(
    ([name, { operands, build, gradient = true }]): TestGraph => ({
      name,
      inputs: OPERANDS[operands],
      build: ({ a, b }) => build(a!, b ?? a!),
      gradient,
    }),
  ),
  {
    name: 'arithmetic along every kind of broadcast',
    inputs: (n) => ({
      a: { shape: [3, 5, n] },
      b: { shape: [n] },
      c: { shape: [3, 1, 1] },
      d: { shape: [5, 1] },
      e: { shape: [3, 1, n] },
    }),
    build: ({ a, b, c, d, e }) =>
      ARITHMETIC.flatMap(({ build }) => build(f.add(f.mul(a!, b!), f.add(c!, f.mul(d!, e!))), a!)),
  },
  {
    name: 'matmul with an epilogue',
    inputs: (n) => ({ x: { shape: [2, 9, n] }, w: { shape: [n + 8, n] }, bias: { shape: [n + 8] } }),
    build: ({ x, w, bias }) => {
      const before = f.add(f.matmul(x!, w!, { transposeB: true }), bias!);
      return [f.gelu(before), before];
    },
  },
  ...[false, true].flatMap((transposeA) =>
    [false, true].map(
      (transposeB): TestGraph => ({
        name: `matmul ${transposeA ? 'At' : 'A'} ${transposeB ? 'Bt' : 'B'}`,
        inputs: (n) => ({
          a: { shape: transposeA ? [2, n, 600] : [2, 600, n] },
          b: { shape: transposeB ? [2, 40, n] : [2, n, 40] },
        }),
        build: ({ a, b }) => f.matmul(a!, b!, { transposeA, transposeB }),
      }),
    ),
  ),
  {
    name: 'matmul of a few rows, and of a long k',
    inputs: (n) => ({ a: { shape: [3, 2000] }, b: { shape: [2000, n] } }),
    build: ({ a, b }) => f.matmul(a!, b!),
  },
  {
    name: 'matmul of many rows, and of a short k',
    inputs: (n) => ({ a: { shape: [1100, n + 168] }, b: { shape: [n + 168, n + 92] } }),
    build: ({ a, b }) => f.matmul(a!, b!),
  },
  {
    name: 'convolutions',
    inputs: (n) => ({ x: { shape: [2, 9, 7, n] }, w: { shape: [n + 4, 3, 3, n] }, bias: { shape: [n + 4] } }),
    build: ({ x, w, bias }) => [
      f.relu(f.add(f.conv2d(x!, w!, { padding: 1 }), bias!)),
      f.conv2d(x!, w!, { stride: 2, padding: [1, 0] }),
    ],
  },
  one('sums', (x) => [f.sum(x), f.sum(x, [0]), f.mean(x, [1])]),
  one('long sums', (x) => [f.sum(x), f.sum(x, [0])], { inputs: (n) => ({ x: { shape: [3000, n] } }) }),
  {
    name: 'sums of rows that are computed, and stored too',
    inputs: (n) => ({ x: { shape: [40, n] }, y: { shape: [40, n] }, scale: { shape: [n] } }),
    build: ({ x, y, scale }) => {
      const [half, rows] = [f.mul(x!, 0.5), f.mul(x!, scale!)];
      return [rows, f.sum(f.mul(half, y!), [0]), f.sum(f.mul(half, rows), [0])];
    },
  },
  one('extrema', (x) => [f.max(x), f.min(x, [0]), f.max(x, [1])]),
  one('log-sum-exp', (x) => f.logSumExp(x, [1])),
  one('softmax', (x) => [f.softmax(x), f.logSoftmax(x)]),
  one('softmax of long rows', (x) => [f.softmax(x), f.logSoftmax(x)], {
    inputs: (n) => ({ x: { shape: [3, 5000 + n] } }),
  }),
  {
    name: 'layer norm',
    inputs: (n) => ({ x: { shape: [70, n] }, weight: { shape: [n] }, bias: { shape: [n] } }),
    build: ({ x, weight, bias }) => f.layerNorm(x!, weight!, bias!),
  },
  one('gated silu', f.gatedSilu, { inputs: (n) => ({ x: { shape: [5, 2 * n] } }) }),
  one('l2 normalise', (x) => f.l2Normalise(x)),
  {
    name: 'weight norm',
    inputs: (n) => ({ g: { shape: [5, 1] }, v: { shape: [5, n] } }),
    build: ({ g, v }) => f.weightNorm(g!, v!),
  },
  {
    name: 'sums of exponentials by row and column',
    inputs: (n) => ({
      x: { shape: [6, n] },
      byColumn: { shape: [n], dtype: 'f32' },
      byRow: { shape: [6], dtype: 'f32' },
    }),
    build: ({ x, byColumn, byRow }) => {
      const rows = f.rowLogSums(x!, byColumn!);
      return [rows, f.rowLogSums(x!, byColumn!, rows), f.columnLogSums(x!, byRow!)];
    },
    gradient: false,
  },
  {
    name: 'soft cross-entropy in two chunks',
    inputs: (n) => ({ x: { shape: [6, n] }, logits: { shape: [4, n] }, bias: { shape: [n], dtype: 'f32' } }),
    build: ({ x, logits, bias }) => {
      const targets = { logits: logits!, bias: bias! };
      const pairing = { own: 2, views: 2 };
      const stats = f.softCrossEntropyChunk(x!, targets, pairing);
      return f.softCrossEntropy(f.softCrossEntropyChunk(x!, targets, pairing, stats), pairing);
    },
  },
  ...[
    [2, 16],
    [1, 64],
    [1, 100],
    [2, 6],
  ].map(
    ([heads, d]): TestGraph => ({
      name: `attention with ${heads} heads of ${d}`,
      inputs: (n) => ({ qkv: { shape: [2, n, 3 * heads! * d!] } }),
      build: ({ qkv }) => f.attention(qkv!, heads!),
    }),
  ),
  {
    name: 'rows of images of segments',
    inputs: (n) => ({ a: { shape: [n], dtype: 'u32' }, b: { shape: [2], dtype: 'u32' } }),
    build: ({ a, b }) =>
      f.segmentRows(
        [a!, b!],
        [
          { B: 3, N: 7 },
          { B: 4, N: 2 },
        ],
      ),
  },
  {
    name: 'attention of segments',
    inputs: (n) => ({ qkv: { shape: [2 * n + 3 * 5, 96] } }),
    build: ({ qkv }) =>
      f.segmentAttention(qkv!, 2, [
        { B: 2, N: (qkv!.shape[0]! - 15) / 2 },
        { B: 3, N: 5 },
      ]),
  },
  one('attention over many tokens', (x) => f.attention(x, 2), { inputs: (n) => ({ x: { shape: [1, 1024 + n, 96] } }) }),
  ...[64, 128].map((d) =>
    one(`attention over two tiles of tokens with heads of ${d}`, (x) => f.attention(x, 1), {
      inputs: (n) => ({ x: { shape: [2, 64 + n, 3 * d] } }),
      dtypes: ['f16'],
    }),
  ),
  one('attention probabilities', (x) => f.attentionProbabilities(x, 2), {
    inputs: (n) => ({ x: { shape: [1, n, 96] } }),
  }),
  {
    name: 'cross attention',
    inputs: (n) => ({ q: { shape: [2, 3, 5, 8] }, k: { shape: [2, 3, n, 8] }, v: { shape: [2, 3, n, 12] } }),
    build: ({ q, k, v }) => f.scaledDotProductAttention(q!, k!, v!),
  },
  {
    name: 'concat',
    inputs: (n) => ({ a: { shape: [3, n] }, b: { shape: [3, 5] } }),
    build: ({ a, b }) => [f.concat([a!, b!], 1), f.concat([a!, a!])],
  },
  one('slice, pad, transpose', (x) => [
    f.sliceAxis(x, 1, 1, 6),
    f.sliceAxis(x, 0, 1, 3),
    f.pad(x, [1, 0], [0, 3]),
    f.transpose(x),
  ]),
  one('patchify', (x) => f.patchify(x, 3), { inputs: (n) => ({ x: { shape: [2, 3, 6, 3 * n] } }) }),
  {
    name: 'resample',
    inputs: (n) => ({ x: { shape: [2, 6, n, 3] } }),
    build: ({ x }) =>
      f.resample(x!, f.resampleMatrix(6, 9, 'bicubic'), f.resampleMatrix(x!.shape[2]!, 10, 'bicubic-antialias')),
    dtypes: ['f32'],
  },
  one('resize', (x) => [f.resize(x, [9, 4]), f.resize(x, [9, 4], { filter: 'nearest' })], {
    inputs: (n) => ({ x: { shape: [2, 6, 5, n] } }),
  }),
  {
    name: 'gather and scatter rows',
    inputs: (n) => ({ x: { shape: [5, n] }, at: index([7]) }),
    build: ({ x, at }) => f.scatterAddRows(f.gatherRows(x!, at!), at!, 6),
  },
  {
    name: 'gather and scatter rows by a long list, with what is computed of them',
    inputs: (n) => ({ x: { shape: [5, n] }, at: index([1100]) }),
    build: ({ x, at }) => f.add(x!, f.scatterAddRows(f.mul(f.gatherRows(x!, at!), 2), at!, 5)),
  },
  ...[[5], [5, 3]].map(
    (rows): TestGraph => ({
      name: `layer norm of gathered rows of ${rows.length} dimensions, in a residual branch`,
      inputs: (n) => ({ x: { shape: [...rows, n] }, weight: { shape: [n] }, bias: { shape: [n] }, at: index([4]) }),
      build({ x, weight, bias, at }) {
        const positions = f.rowPositions(at!, 5);
        const branch = f.layerNorm(f.gatherRows(x!, at!, positions), weight!, bias!);
        return f.add(x!, f.scatterAddRows(branch, at!, 5, positions));
      },
    }),
  ),
  one('values of other ranks', (x) => [f.allReduce(f.allGather(x, 2), 2), f.reduceScatter(f.concat([x, x]), 2)], {
    dtypes: ['f32'],
  }),
  one('top-k', (x) => f.topK(x, 3).values),
  one('positions of the largest', (x) => [f.argmax(x), f.argmax(x, 0)], { gradient: false }),
  { name: 'one-hot', inputs: (n) => ({ at: index([n]) }), build: ({ at }) => f.oneHot(at!, 6), dtypes: ['f32'] },
  {
    name: 'random numbers',
    inputs: () => ({ seed: SEED }),
    build: ({ seed: key }) => [
      f.randomWords(key!, [30], 1),
      f.randomUniform(key!, [30], 2),
      f.randomNormal(key!, [30], 3),
      f.randomTruncatedNormal(key!, [30], 4),
      f.randomBernoulli(key!, [30], 5, 0.25),
      f.randomPermutation(key!, 30, 6),
    ],
    dtypes: ['f32'],
    sizes: [1],
  },
];
