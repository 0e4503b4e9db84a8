/**
 * Flash attention with workgroup memory, for GPUs and any adapter without subgroups (Dao et al., 2022). A workgroup owns a tile of rows and walks
 * over all columns 32 at a time; a logit is computed, used and forgotten. Forward and dQ: rows are queries, columns keys. dK and dV: rows are
 * keys, columns queries. So every sum has one owner, and the order of additions is fixed. Forward keeps a running maximum and sum per row and
 * rescales what it has when the maximum grows (online softmax); backward computes the weights from the log-sum-exp.
 */
import { range } from '../../base/whole-numbers';
import type { Kernel, Scratch, Storage } from '../../graph/op';
import { deltaKernel } from './delta';
import type { AttentionGradientProblem, AttentionProblem } from './problem';
import {
  accumulate,
  COLUMNS,
  declareSums,
  forRows,
  product,
  putWeights,
  storeRows,
  type TileScope,
  tileKernel,
  weightsOf,
} from './tile-kernel';

/** Loops over all columns. In scope of the body: `columns`, the invocation's four, and `exists`, which of them are tokens. */
const forColumns = ({ N }: TileScope, body: string): string => `
  for (var column0 = 0u; column0 < ${N}; column0 += ${COLUMNS}u) {
    let columns = vec4<u32>(column0) + vec4<u32>(c, c + 8u, c + 16u, c + 24u);
    let exists = columns < vec4<u32>(${N});
${body}
  }`;

export function tiledAttention({ dims, qkv, out, lse, target }: AttentionProblem): Kernel[] {
  const kernel = tileKernel({ label: 'attention', dims, target, products: 2 }, (scope) => {
    const { k, chunks, N, eight } = scope;
    const scale = k.uniformF32(1 / Math.sqrt(dims.d));
    const LSE = k.write(lse);
    const largest = (i: number): string => `max(max(high${i}.x, high${i}.y), max(high${i}.z, high${i}.w))`;
    return `
${declareSums(scope, 'o')}
  ${forRows((i) => `var top${i} = -3.4028234e38; var total${i} = 0.0;`, ' ')}
${forColumns(
  scope,
  `
    ${product(scope, 's', { tensor: qkv, part: 'query' }, { tensor: qkv, part: 'key' })}
    ${forRows((i) => `s${i} = select(vec4<f32>(-3.4028234e38), s${i} * ${scale}, exists);`)}
    ${putWeights((i) => `s${i}`)}
    workgroupBarrier();
    ${forRows((i) => `var high${i} = s${i};`, ' ')}
    for (var x = 0u; x < ${eight}; x++) { ${forRows((i) => `high${i} = max(high${i}, ${weightsOf(i, 'x')});`, ' ')} }
    ${forRows((i) => `let new${i} = max(top${i}, ${largest(i)}); let fade${i} = exp(top${i} - new${i}); top${i} = new${i};`)}
    ${putWeights((i) => `exp(s${i} - top${i})`)}
    workgroupBarrier();
    ${forRows((i) => `var part${i} = vec4<f32>();`, ' ')}
    for (var x = 0u; x < ${eight}; x++) { ${forRows((i) => `part${i} += ${weightsOf(i, 'x')};`, ' ')} }
    ${forRows((i) => `total${i} = total${i} * fade${i} + dot(part${i}, vec4<f32>(1.0));`)}
    ${chunks.map((t) => forRows((i) => `o${t}_${i} *= fade${i};`, ' ')).join('\n    ')}
    ${accumulate(scope, 'o', { tensor: qkv, part: 'value' })}`,
)}
${storeRows(scope, { tensor: out }, (t, i) => `o${t}_${i} / total${i}`)}
  if (c == 0u) {
    ${forRows((i) => `if (row + ${i}u < ${N}) { ${LSE}[head * ${N} + row + ${i}u] = top${i} + log(total${i}); }`)}
  }`;
  });
  return [kernel];
}

export function tiledAttentionGradient(problem: AttentionGradientProblem): Kernel[] {
  const { dims, out, gradient, target } = problem;
  const { kernel, delta } = deltaKernel(dims, out, gradient, target);
  return [kernel, queryGradient(problem, delta), keyValueGradient(problem, delta)];
}

function queryGradient({ dims, qkv, gradient, lse, dqkv, target }: AttentionGradientProblem, delta: Scratch): Kernel {
  return tileKernel({ label: 'attentionGradient', dims, target, products: 3 }, (scope) => {
    const { k, N } = scope;
    const scale = k.uniformF32(1 / Math.sqrt(dims.d));
    const ofRow = (values: Storage, i: number): string =>
      `${k.read(values)}[head * ${N} + min(row + ${i}u, ${N} - 1u)]`;
    return `
${declareSums(scope, 'q')}
  ${forRows((i) => `let lse${i} = ${ofRow(lse, i)}; let delta${i} = ${ofRow(delta, i)};`)}
${forColumns(
  scope,
  `
    ${product(scope, 's', { tensor: qkv, part: 'query' }, { tensor: qkv, part: 'key' })}
    ${product(scope, 'g', { tensor: gradient }, { tensor: qkv, part: 'value' })}
    ${putWeights((i) => `select(vec4<f32>(), exp(s${i} * ${scale} - lse${i}) * (g${i} - delta${i}) * ${scale}, exists)`)}
    ${accumulate(scope, 'q', { tensor: qkv, part: 'key' })}`,
)}
${storeRows(scope, { tensor: dqkv, part: 'query' }, (t, i) => `q${t}_${i}`)}`;
  });
}

/** Rows are keys and columns queries: the logits and their gradient arrive transposed. */
function keyValueGradient(
  { dims, qkv, gradient, lse, dqkv, target }: AttentionGradientProblem,
  delta: Scratch,
): Kernel {
  return tileKernel({ label: 'attentionGradient', dims, target, products: 4 }, (scope) => {
    const { k, N } = scope;
    const scale = k.uniformF32(1 / Math.sqrt(dims.d));
    const ofColumns = (values: Storage): string =>
      `vec4<f32>(${range(4).map((j) => `${k.read(values)}[head * ${N} + min(columns[${j}], ${N} - 1u)]`)})`;
    return `
${declareSums(scope, 'k')}
${declareSums(scope, 'v')}
${forColumns(
  scope,
  `
    let lse = ${ofColumns(lse)};
    let delta = ${ofColumns(delta)};
    ${product(scope, 's', { tensor: qkv, part: 'key' }, { tensor: qkv, part: 'query' })}
    ${product(scope, 'g', { tensor: qkv, part: 'value' }, { tensor: gradient })}
    ${forRows((i) => `let p${i} = select(vec4<f32>(), exp(s${i} * ${scale} - lse), exists);`)}
    ${putWeights((i) => `p${i}`)}
    ${accumulate(scope, 'v', { tensor: gradient })}
    ${putWeights((i) => `p${i} * (g${i} - delta) * ${scale}`)}
    ${accumulate(scope, 'k', { tensor: qkv, part: 'query' })}`,
)}
${storeRows(scope, { tensor: dqkv, part: 'key' }, (t, i) => `k${t}_${i}`)}
${storeRows(scope, { tensor: dqkv, part: 'value' }, (t, i) => `v${t}_${i}`)}`;
  });
}
