/**
 * The logits of heads of few tokens on CPU adapters. One subgroup holds whole rows of a head's logits, a lane every `lanes`-th column: 37 tokens
 * are 5 columns a lane, where tiles of vec4 would compute 64. Both operands are tokens along k, so a logit is a dot product of a row's vec4, which
 * a subgroup broadcast gives to all lanes, and a column's. A row's softmax is then finished in registers, by two subgroup reductions, and the
 * weights go out as the products that follow want them: transposed, four rows a vec4. Backward, with P = exp(S - lse) and G = dO V^T, a row's
 * sum of P G is what its softmax subtracts: dS = P (G - sum P G) / sqrt(d).
 */
import type { Target } from '../../base/target';
import { range } from '../../base/whole-numbers';
import type { Kernel, Scratch } from '../../graph/op';
import { elementType } from '../../kernels/kernel-builder';
import { rowValue } from '../matmul/broadcast-product';
import { type Chunk, type ChunkScope, chunkKernel, padded, tokensByToken } from './chunk-kernel';
import type { AttentionDims, AttentionGradientProblem, AttentionLabel, AttentionProblem } from './problem';
import type { Tokens } from './tokens';

// Columns a lane holds at most, and sums of one product: more are no faster and take seconds to compile.
const MOST_COLUMNS = 8;
const MOST_SUMS = 80;

/** Whether whole rows of logits fit a subgroup. */
export const holdsRows = ({ N }: AttentionDims, { subgroupSize }: Target): boolean => N <= MOST_COLUMNS * subgroupSize!;

/** P^T [heads, N, N] padded, and lse = log sum exp of each row of S. */
export function rowWeights({ dims, qkv, lse, target }: AttentionProblem, chunk: Chunk, weights: Scratch): Kernel {
  return rowKernel({ label: 'attention', dims, chunk, target, products: 1 }, (scope) => {
    const { k, rows, lanes, columns, N } = scope;
    const scale = k.uniformF32(1 / Math.sqrt(dims.d));
    const row = (i: number): string => {
      const each = (text: (j: number) => string): string[] => columns.map(text);
      return `
  ${each((j) => `let s${i}_${j} = ${scope.whereToken(j, `c${i}_${j} * ${scale}`, '-3.4028234e38')};`).join(' ')}
  let top${i} = subgroupMax(${each((j) => `s${i}_${j}`).reduce((a, b) => `max(${a}, ${b})`)});
  ${each((j) => `let e${i}_${j} = exp(s${i}_${j} - top${i});`).join(' ')}
  let total${i} = subgroupAdd(${each((j) => `e${i}_${j}`).join(' + ')}); let inverse${i} = 1.0 / total${i};
  lse${Math.floor(i / lanes)} = select(lse${Math.floor(i / lanes)}, top${i} + log(total${i}), sgLane == ${i % lanes}u);`;
    };
    const LSE = k.write(lse);
    const shares = range(rows / lanes);
    return `
${dotProducts(scope, 'c', { tensor: qkv, part: 'query' }, { tensor: qkv, part: 'key' })}
  ${shares.map((s) => `var lse${s} = 0.0;`).join(' ')}
${range(rows).map(row).join('')}
${shares.map((s) => `  if (row + ${s * lanes}u + sgLane < ${N}) { ${LSE}[head * ${N} + row + ${s * lanes}u + sgLane] = lse${s}; }`).join('\n')}
${storeTransposed(scope, weights, (i, j) => `e${i}_${j} * inverse${i}`)}`;
  });
}

/** P^T and dS^T, the transposed gradient with respect to Q K^T. */
export function rowSlopes(
  { dims, qkv, gradient, lse, target }: AttentionGradientProblem,
  chunk: Chunk,
  weights: Scratch,
  slopes: Scratch,
): Kernel {
  return rowKernel({ label: 'attentionGradient', dims, chunk, target, products: 2 }, (scope) => {
    const { k, rows, lanes, columns, N } = scope;
    const scale = k.uniformF32(1 / Math.sqrt(dims.d));
    const LSE = k.read(lse);
    const weight = (i: number, j: number): string =>
      scope.whereToken(j, `exp(c${i}_${j} * ${scale} - ${rowValue('lse', i, lanes)})`, '0.0');
    const rowSum = (i: number): string => `subgroupAdd(${columns.map((j) => `p${i}_${j} * g${i}_${j}`).join(' + ')})`;
    return `
${dotProducts(scope, 'c', { tensor: qkv, part: 'query' }, { tensor: qkv, part: 'key' })}
${range(rows / lanes)
  .map((s) => `  let lse${s} = ${LSE}[head * ${N} + min(row + ${s * lanes}u + sgLane, ${N} - 1u)];`)
  .join('\n')}
${range(rows)
  .map((i) => `  ${columns.map((j) => `let p${i}_${j} = ${weight(i, j)};`).join(' ')}`)
  .join('\n')}
${storeTransposed(scope, weights, (i, j) => `p${i}_${j}`)}
${dotProducts(scope, 'g', { tensor: gradient }, { tensor: qkv, part: 'value' })}
${range(rows)
  .map((i) => `  let delta${i} = ${rowSum(i)};`)
  .join('\n')}
${storeTransposed(scope, slopes, (i, j) => `p${i}_${j} * (g${i}_${j} - delta${i}) * ${scale}`)}`;
  });
}

interface RowScope extends ChunkScope {
  /** Numbers of a lane's columns; the one numbered j is `j lanes + sgLane`. */
  readonly columns: readonly number[];
  /** `value` where column j is a token, else `outside`: only the last columns can lie past the end. */
  whereToken(j: number, value: string, outside: string): string;
}

interface RowTile {
  readonly label: AttentionLabel;
  readonly dims: AttentionDims;
  readonly chunk: Chunk;
  readonly target: Target;
  readonly products: number;
}

function rowKernel(tile: RowTile, body: (scope: RowScope) => string): Kernel {
  const { dims, target } = tile;
  const lanes = target.subgroupSize!;
  const columns = range(Math.ceil(dims.N / lanes));
  const mostRows = MOST_SUMS / columns.length;
  return chunkKernel({ ...tile, M: padded(dims.N), columns: 4 * lanes, mostRows }, (scope) => {
    const whereToken = (j: number, value: string, outside: string): string =>
      j === columns.length - 1 ? `select(${outside}, ${value}, ${j * lanes}u + sgLane < ${scope.N})` : value;
    return body({ ...scope, columns, whereToken });
  });
}

/** WGSL that declares the sums `<name><row>_<column>` of A B^T and computes them. */
function dotProducts(scope: RowScope, name: string, rowTokens: Tokens, columnTokens: Tokens): string {
  const { rows, lanes, columns, d } = scope;
  const [a, b] = [tokensByToken(scope, rowTokens), tokensByToken(scope, columnTokens)];
  const shares = range(rows / lanes);
  const sums = (text: (i: number, j: number) => string): string =>
    range(rows)
      .map((i) => columns.map((j) => text(i, j)).join(' '))
      .join('\n    ');
  const x = (i: number, q: number): string => `subgroupBroadcast(a${Math.floor(i / lanes)}[${q}], ${i % lanes}u)`;
  const updates = range(rows).map(
    (i) =>
      `{ let x = vec4<f32>(${range(4).map((q) => x(i, q))}); ${columns
        .map((j) => `${name}${i}_${j} += (x.x * b${j}.x + x.y * b${j}.y) + (x.z * b${j}.z + x.w * b${j}.w);`)
        .join(' ')} }`,
  );
  return `
    ${sums((i, j) => `var ${name}${i}_${j} = 0.0;`)}
  for (var k = 0u; k < ${d}; k += 4u) {
    ${shares.map((s) => `let a${s} = ${a.load(`(row + ${s * lanes}u + sgLane)`, 'k', s)};`).join('\n    ')}
    ${columns.map((j) => `let b${j} = ${b.load(`(${j * lanes}u + sgLane)`, 'k', 0)};`).join('\n    ')}
    ${updates.join('\n    ')}
  }`;
}

/** Writes `value(i, j)` of row i and column j to the transposed matrix, zeros in the padding. */
function storeTransposed(
  { k, rows, lanes, columns, N, padded }: RowScope,
  matrix: Scratch,
  value: (i: number, j: number) => string,
): string {
  const M = k.write(matrix, elementType(matrix, 4));
  return range(rows / 4)
    .map((quad) => {
      const i = 4 * quad;
      const at = `row + ${i}u`;
      const stores = columns.map((j) => {
        const four = `vec4<f32>(${range(4).map((r) => value(i + r, j))})`;
        const store = `${M}[matrix + ((${j * lanes}u + sgLane) * ${padded} + ${at}) / 4u] = select(vec4<f32>(), ${four}, isToken);`;
        return j === columns.length - 1 ? `if (${j * lanes}u + sgLane < ${padded}) { ${store} }` : store;
      });
      return `
  if (${at} < ${padded}) {
    let isToken = vec4<u32>(${range(4).map((r) => `row + ${i + r}u`)}) < vec4<u32>(${N});
    ${stores.join('\n    ')}
  }`;
    })
    .join('');
}
