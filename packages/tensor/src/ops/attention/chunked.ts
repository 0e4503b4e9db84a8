/**
 * Attention on CPU adapters: products by subgroup broadcast, a few heads at a time. They run at the rate of a plain matmul (see
 * `broadcast-product.ts`), and the logits of a few heads stay in the processor's cache. Forward: S = Q K^T / sqrt(d) to scratch memory;
 * then O = exp(S - max) V / sum, where a lane that loads logits of its row turns them into weights on their way into the product. Backward:
 * P = exp(S - lse) and dS = P (dO V^T - delta) / sqrt(d) together, from which dV = P^T dO, dK = dS^T Q and dQ = dS K are three products.
 * Matrices of logits are padded to multiples of four rows and columns, whose weights are zero. Where a subgroup can hold whole rows of logits
 * they come as weights, and transposed (`few-tokens.ts`).
 */
import { range } from '../../base/whole-numbers';
import type { Kernel, Scratch } from '../../graph/op';
import { scratch } from '../../kernels/kernel-builder';
import { productLoop, rowValue } from '../matmul/broadcast-product';
import {
  type Chunk,
  type ChunkTile,
  chunkKernel,
  logitsByColumn,
  logitsByRow,
  padded,
  storeLogits,
  storeTokens,
  tokensByElement,
  tokensByToken,
} from './chunk-kernel';
import { deltaKernel } from './delta';
import { holdsRows, rowSlopes, rowWeights } from './few-tokens';
import type { AttentionDims, AttentionGradientProblem, AttentionProblem } from './problem';
import type { TokenPart, Tokens } from './tokens';

// Logits of one chunk, all matrices together: about what stays in the cache between two kernels.
const CHUNK_BYTES = 4 * 2 ** 20;

/** Chunks of heads, as equal as can be, and the scratch memory that they take turns to use. */
function planChunks({ B, H, N }: AttentionDims, matrices: number): { chunks: Chunk[]; logits: Scratch[] } {
  const most = Math.max(1, Math.floor(CHUNK_BYTES / (4 * matrices * padded(N) ** 2)));
  const size = Math.ceil((B * H) / Math.ceil((B * H) / most));
  return {
    chunks: range(Math.ceil((B * H) / size)).map((i) => ({ first: i * size, count: Math.min(size, B * H - i * size) })),
    logits: range(matrices).map(() => scratch([size, padded(N), padded(N)], 'f32')),
  };
}

export function chunkedAttention(problem: AttentionProblem): Kernel[] {
  const { dims, qkv, out, target } = problem;
  const { chunks, logits } = planChunks(dims, 1);
  const [matrix] = logits as [Scratch];
  if (!holdsRows(dims, target))
    return chunks.flatMap((chunk) => [logitsKernel(problem, chunk, matrix), averageKernel(problem, chunk, matrix)]);
  const values = { tensor: qkv, part: 'value' } as const;
  return chunks.flatMap((chunk) => [
    rowWeights(problem, chunk, matrix),
    partKernel(
      { label: 'attention', dims, chunk, target },
      { tensor: out },
      { logits: matrix, transposed: true, tokens: values },
    ),
  ]);
}

function logitsKernel({ dims, qkv, target }: AttentionProblem, chunk: Chunk, logits: Scratch): Kernel {
  const size = padded(dims.N);
  return chunkKernel({ label: 'attention', dims, chunk, target, M: size, columns: size, products: 1 }, (scope) => {
    const scale = scope.k.uniformF32(1 / Math.sqrt(dims.d));
    const a = tokensByToken(scope, { tensor: qkv, part: 'query' });
    const b = tokensByToken(scope, { tensor: qkv, part: 'key' });
    return `${productLoop({ ...scope, endK: scope.d, a, b, name: 'c' })}
${storeLogits(scope, logits, 's', (i) => `c${i} * ${scale}`, '-3.4028234e38')}`;
  });
}

/** O = exp(S - max) V / sum and lse = max + log(sum). Each lane knows the maximum and the sum of the rows whose logits it loads. */
function averageKernel({ dims, qkv, out, lse, target }: AttentionProblem, chunk: Chunk, logits: Scratch): Kernel {
  const tile = { label: 'attention', dims, chunk, target, M: dims.N, columns: dims.d, products: 1 } as const;
  return chunkKernel(tile, (scope) => {
    const { k, rows, lanes, N, padded } = scope;
    const each = (text: (share: number) => string): string =>
      range(rows / lanes)
        .map((share) => `  ${text(share)}`)
        .join('\n');
    const S = logitsByRow(scope, logits);
    const ownRow = (share: number): string => `(row + ${share * lanes}u + sgLane)`;
    const LSE = k.write(lse);
    return `
${each((s) => `var high${s} = vec4<f32>(-3.4028234e38); var sum${s} = vec4<f32>();`)}
  for (var k = 0u; k < ${padded}; k += 4u) {
${each((s) => `  high${s} = max(high${s}, ${S.load(ownRow(s), 'k', s)});`)}
  }
${each((s) => `let top${s} = max(max(high${s}.x, high${s}.y), max(high${s}.z, high${s}.w));`)}
${productLoop({
  ...scope,
  endK: padded,
  a: { alongK: true, load: (row, k, share) => `exp(${S.load(row, k, share)} - top${share})` },
  b: tokensByElement(scope, { tensor: qkv, part: 'value' }),
  use: (share) => `sum${share} += a${share};`,
  name: 'c',
})}
${each((s) => `let total${s} = dot(sum${s}, vec4<f32>(1.0)); let inverse${s} = 1.0 / total${s};`)}
  if (column == sgLane * 4u) {
${each((s) => `  if (${ownRow(s)} < ${N}) { ${LSE}[head * ${N} + ${ownRow(s)}] = top${s} + log(total${s}); }`)}
  }
${storeTokens(scope, { tensor: out }, (i) => `c${i} * ${rowValue('inverse', i, lanes)}`)}`;
  });
}

export function chunkedAttentionGradient(problem: AttentionGradientProblem): Kernel[] {
  const { dims, qkv, gradient, dqkv, target } = problem;
  const { chunks, logits } = planChunks(dims, 2);
  const [weights, slopes] = logits as [Scratch, Scratch];
  const areTransposed = holdsRows(dims, target);
  const own = deltaKernel(dims, problem.out, gradient, target);
  const parts = chunks.flatMap((chunk) => {
    const tile = { label: 'attentionGradient', dims, chunk, target } as const;
    const part = (name: TokenPart, factors: Factors): Kernel => partKernel(tile, { tensor: dqkv, part: name }, factors);
    return [
      areTransposed
        ? rowSlopes(problem, chunk, weights, slopes)
        : slopesKernel(problem, own.delta, chunk, weights, slopes),
      part('query', { logits: slopes, transposed: areTransposed, tokens: { tensor: qkv, part: 'key' } }),
      part('key', { logits: slopes, transposed: !areTransposed, tokens: { tensor: qkv, part: 'query' } }),
      part('value', { logits: weights, transposed: !areTransposed, tokens: { tensor: gradient } }),
    ];
  });
  return areTransposed ? parts : [own.kernel, ...parts];
}

/** P = exp(S - lse), and dS = P (dO V^T - delta) / sqrt(d), the gradient with respect to Q K^T. */
function slopesKernel(
  { dims, qkv, gradient, lse, target }: AttentionGradientProblem,
  delta: Scratch,
  chunk: Chunk,
  weights: Scratch,
  slopes: Scratch,
): Kernel {
  const size = padded(dims.N);
  const tile = { label: 'attentionGradient', dims, chunk, target, M: size, columns: size, products: 2 } as const;
  return chunkKernel(tile, (scope) => {
    const { k, rows, lanes, N, d } = scope;
    const scale = k.uniformF32(1 / Math.sqrt(dims.d));
    const product = (name: string, a: Tokens, b: Tokens): string =>
      productLoop({ ...scope, endK: d, a: tokensByToken(scope, a), b: tokensByToken(scope, b), name });
    const perRow = (name: string, values: string): string =>
      range(rows / lanes)
        .map((s) => `  let ${name}${s} = ${values}[head * ${N} + min(row + ${s * lanes}u + sgLane, ${N} - 1u)];`)
        .join('\n');
    const weight = (i: number): string =>
      `select(0.0, 1.0, row + ${i}u < ${N}) * exp(c${i} * ${scale} - ${rowValue('lse', i, lanes)})`;
    return `${product('c', { tensor: qkv, part: 'query' }, { tensor: qkv, part: 'key' })}
${perRow('lse', k.read(lse))}
${perRow('delta', k.read(delta))}
${range(rows)
  .map((i) => `  let p${i} = ${weight(i)};`)
  .join('\n')}
${storeLogits(scope, weights, 'p', (i) => `p${i}`, '0.0')}
${product('g', { tensor: gradient }, { tensor: qkv, part: 'value' })}
${storeLogits(scope, slopes, 's', (i) => `p${i} * (g${i} - ${rowValue('delta', i, lanes)}) * ${scale}`, '0.0')}`;
  });
}

interface Factors {
  readonly logits: Scratch;
  readonly transposed: boolean;
  readonly tokens: Tokens;
}

/** Logits, or their transpose, times tokens. */
function partKernel(
  tile: Pick<ChunkTile, 'label' | 'dims' | 'chunk' | 'target'>,
  into: Tokens,
  { logits, transposed, tokens }: Factors,
): Kernel {
  const { N, d } = tile.dims;
  return chunkKernel({ ...tile, M: N, columns: d, products: 1 }, (scope) => {
    const a = transposed ? logitsByColumn(scope, logits) : logitsByRow(scope, logits);
    return `${productLoop({ ...scope, endK: scope.padded, a, b: tokensByElement(scope, tokens), name: 'c' })}
${storeTokens(scope, into, (i) => `c${i}`)}`;
  });
}
