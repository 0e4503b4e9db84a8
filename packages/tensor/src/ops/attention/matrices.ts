/**
 * Flash attention on subgroup matrices, f16 with f32 sums (Dao et al., 2022). Forward and dQ: rows are queries, columns keys. dK and dV: rows are
 * keys, columns queries. So every sum has one owner, and the order of additions is fixed.
 *
 * Forward takes one pass. Weights are exp(score - top), where top is the maximum of a row when it last mattered: it follows the scores only if
 * these exceed it by more than 8 bits, which after the first columns is rare. Until then the sums need no rescaling, which for matrices means
 * a way through workgroup memory. A weight is at most 2^8, so that f16 holds it.
 *
 * What is rounded to f16: the weights P, and in the gradient dS = P (dO Vᵀ - delta), without the factor 1 / sqrt(d), which the f32 sums get
 * when they leave. That is where attention of separate products in f16 rounds too, but the scores, which here stay f32. A dS above 65,504 becomes infinite
 * and the gradient with it, which loss scaling takes for what it is.
 */
import { range } from '../../base/whole-numbers';
import type { Kernel, Scratch, Storage } from '../../graph/op';
import { deltaKernel } from './delta';
import { addProduct, putWeights, scaleRows, storeRows } from './matrix-areas';
import { columnValues } from './matrix-copies';
import { matrixKernel } from './matrix-kernel';
import type { MatrixKernel } from './matrix-scope';
import { type AttentionAreas, type AttentionTile, attentionTile } from './matrix-tile';
import type { AttentionGradientProblem, AttentionProblem } from './problem';

/** Bits by which a score may exceed the maximum that its row had. */
const SLACK = '8.0';

/** Undefined where no tile fits the adapter. */
export function matrixAttention({ dims, qkv, out, lse, target }: AttentionProblem): Kernel[] | undefined {
  const areas = { scores: 1, weights: 1 };
  const tile = attentionTile(dims, target, areas);
  if (!tile) return undefined;
  const kernel: MatrixKernel = {
    label: 'attention',
    dims,
    target,
    tile,
    areas,
    products: 2,
    rows: [{ tensor: qkv, part: 'query' }],
    columns: [
      { tensor: qkv, part: 'key' },
      { tensor: qkv, part: 'value' },
    ],
    sums: ['o'],
  };
  return [
    matrixKernel(kernel, (scope) => {
      const { k, N, vectors } = scope;
      const scale = k.uniformF32(Math.LOG2E / Math.sqrt(dims.d));
      const largest = vectors.map((i) => `s${i}`).reduce((a, b) => `max(${a}, ${b})`);
      return {
        workgroupMemory: `var<workgroup> rescales: array<u32, ${tile.subgroups}>;`,
        before: `
  var top = -3.4028234e38;
  var total = 0.0;
  var fade = 1.0;
  if (sgLane == 0u) { rescales[sgId] = 0u; }`,
        weights: `
      let high4 = ${largest};
      var high = max(max(high4.x, high4.y), max(high4.z, high4.w)) * ${scale};
      ${acrossRow(tile, 'high', (other) => `max(high, ${other})`)}
      let follows = column0 == 0u || high > top + ${SLACK};
      let newTop = select(top, high, follows);
      fade = exp2(top - newTop);
      top = newTop;
${vectors.map((i) => `      let p${i} = exp2(s${i} * ${scale} - top);`).join('\n')}
      total = total * fade + dot(${vectors.map((i) => `p${i}`).join(' + ')}, vec4<f32>(1.0));
${putWeights(scope, 0, (i) => `p${i}`)}
      let moved = subgroupAny(follows && column0 > 0u);
      if (sgLane == 0u) { rescales[sgId] = u32(moved); }`,
        barrier: `let rescale = workgroupUniformLoad(&rescales);
    if (${range(tile.subgroups)
      .map((i) => `rescale[${i}]`)
      .join(' + ')} > 0u) {
${scaleRows(scope, 'o', 'fade')}
    }`,
        products: addProduct(scope, 'o', 0, 1),
        after: `
  ${acrossRow(tile, 'total', (other) => `total + ${other}`)}
${storeRows(scope, 'o', { tensor: out }, '(1.0 / total)')}
  if (working && row < ${N} && at == 0u) { ${k.write(lse)}[head * ${N} + row] = (top + log2(total)) * ${Math.LN2}; }`,
      };
    }),
  ];
}

/** What lanes of a row have in common: `combine` over them all. */
function acrossRow({ M, lanes }: AttentionTile, name: string, combine: (other: string) => string): string {
  const steps = range(Math.log2(lanes / M)).map((i) => M * 2 ** i);
  return steps.map((step) => `${name} = ${combine(`subgroupShuffleXor(${name}, ${step}u)`)};`).join(' ');
}

const QUERY_AREAS: AttentionAreas = { scores: 2, weights: 1 };
const KEY_AREAS: AttentionAreas = { scores: 2, weights: 2 };

/** Undefined where no tile fits the adapter. */
export function matrixAttentionGradient(problem: AttentionGradientProblem): Kernel[] | undefined {
  const { dims, out, gradient, target } = problem;
  const forQueries = attentionTile(dims, target, QUERY_AREAS);
  const forKeys = attentionTile(dims, target, KEY_AREAS);
  if (!(forQueries && forKeys)) return undefined;
  const { kernel, delta } = deltaKernel(dims, out, gradient, target);
  return [kernel, queryGradient(problem, delta, forQueries), keyValueGradient(problem, delta, forKeys)];
}

function queryGradient(
  { dims, qkv, gradient, lse, dqkv, target }: AttentionGradientProblem,
  delta: Scratch,
  tile: AttentionTile,
): Kernel {
  const kernel: MatrixKernel = {
    label: 'attentionGradient',
    dims,
    target,
    tile,
    areas: QUERY_AREAS,
    products: 3,
    rows: [{ tensor: qkv, part: 'query' }, { tensor: gradient }],
    columns: [
      { tensor: qkv, part: 'key' },
      { tensor: qkv, part: 'value' },
    ],
    sums: ['q'],
  };
  return matrixKernel(kernel, (scope) => {
    const { k, N } = scope;
    const [bits, scale] = [k.uniformF32(Math.LOG2E / Math.sqrt(dims.d)), k.uniformF32(1 / Math.sqrt(dims.d))];
    const ofRow = (values: Storage): string => `${k.read(values)}[head * ${N} + min(row, ${N} - 1u)]`;
    return {
      before: `
  let lse = ${ofRow(lse)} * ${Math.LOG2E};
  let delta = ${ofRow(delta)};`,
      weights: putWeights(scope, 0, (i) => `exp2(s${i} * ${bits} - lse) * (g${i} - delta)`),
      products: addProduct(scope, 'q', 0, 0),
      after: storeRows(scope, 'q', { tensor: dqkv, part: 'query' }, scale),
    };
  });
}

/** Rows are keys and columns queries: the scores and their gradient arrive transposed. */
function keyValueGradient(
  { dims, qkv, gradient, lse, dqkv, target }: AttentionGradientProblem,
  delta: Scratch,
  tile: AttentionTile,
): Kernel {
  const kernel: MatrixKernel = {
    label: 'attentionGradient',
    dims,
    target,
    tile,
    areas: KEY_AREAS,
    products: 4,
    rows: [
      { tensor: qkv, part: 'key' },
      { tensor: qkv, part: 'value' },
    ],
    columns: [{ tensor: qkv, part: 'query' }, { tensor: gradient }],
    sums: ['k', 'v'],
  };
  return matrixKernel(kernel, (scope) => {
    const { k, N, vectors } = scope;
    const [bits, scale] = [k.uniformF32(Math.LOG2E / Math.sqrt(dims.d)), k.uniformF32(1 / Math.sqrt(dims.d))];
    const [LSE, DELTA] = [k.read(lse), k.read(delta)];
    return {
      perColumn: [
        (column) => `${LSE}[head * ${N} + ${column}] * ${Math.LOG2E}`,
        (column) => `${DELTA}[head * ${N} + ${column}]`,
      ],
      weights: `
${vectors.map((i) => `      let p${i} = exp2(s${i} * ${bits} - ${columnValues(scope, 0, i)});`).join('\n')}
${putWeights(scope, 0, (i) => `p${i}`)}
${putWeights(scope, 1, (i) => `p${i} * (g${i} - ${columnValues(scope, 1, i)})`)}`,
      products: `${addProduct(scope, 'v', 0, 1)}
${addProduct(scope, 'k', 1, 0)}`,
      after: `${storeRows(scope, 'k', { tensor: dqkv, part: 'key' }, scale)}
${storeRows(scope, 'v', { tensor: dqkv, part: 'value' }, '1.0')}`,
    };
  });
}
