/**
 * A pre-norm transformer block as nodes: x <- x + g1 Attn(LN1(x)), x <- x + g2 FFN(LN2(x)). Attention is written as its formula, softmax(q k^T / sqrt(d)) v,
 * with the softmax in f32.
 */
import type { VitConfig } from '@franca/vit';
import type { GraphBuilder } from './graph-builder';
import { branchType, intoBranch, linearGraph, mlpGraph, normGraph, outOfBranch, swigluGraph } from './layer-graphs';
import { type Rotation, rotated } from './rotary-graph';

/** Tokens [B, N, D] through the block that `g` is within. */
export function blockGraph(g: GraphBuilder, x: string, config: VitConfig, rotation?: Rotation): string {
  const afterAttention = residual(g, x, 'ls1', config, () => {
    const normed = intoBranch(g, normGraph(g.within('norm1'), x, config));
    return selfAttention(g.within('attn'), normed, config, rotation);
  });
  return residual(g, afterAttention, 'ls2', config, () => {
    const normed = intoBranch(g, normGraph(g.within('norm2'), afterAttention, config));
    const ffn = g.within('mlp');
    return config.ffnLayer === 'swiglu' ? swigluGraph(ffn, normed) : mlpGraph(ffn, normed, config);
  });
}

function residual(g: GraphBuilder, x: string, scale: string, config: VitConfig, branch: () => string): string {
  const out = outOfBranch(g, branch());
  const scaled = config.layerScale === undefined ? out : g.add('Mul', [out, g.within(scale).weight('gamma')]);
  return g.add('Add', [x, scaled]);
}

function selfAttention(g: GraphBuilder, x: string, config: VitConfig, rotation?: Rotation): string {
  const D = config.embedDim;
  const packed = linearGraph(g.within('qkv'), x);
  const [q, k, v] = g.addMany('Split', [packed, g.whole([D, D, D])], 3, { axis: -1 }) as [string, string, string];
  return linearGraph(g.within('proj'), attentionGraph(g, [q, k, v], config, rotation));
}

/** Attention of queries [B, M, D], or [1, M, D] for all, over keys and values [B, N, D], heads side by side: [B, M, D]. */
export function attentionGraph(
  g: GraphBuilder,
  [q, k, v]: readonly [string, string, string],
  { embedDim: D, numHeads }: Pick<VitConfig, 'embedDim' | 'numHeads'>,
  rotation?: Rotation,
): string {
  const width = D / numHeads;
  const heads = (x: string): string =>
    g.add('Transpose', [g.add('Reshape', [x, g.whole([0, 0, numHeads, width])])], { perm: [0, 2, 1, 3] });
  const turned = (x: string): string => (rotation ? rotated(g, heads(x), rotation) : heads(x));
  const scaled = g.add('Mul', [turned(q), g.real(1 / Math.sqrt(width), branchType(g.precision))]);
  const scores = g.add('MatMul', [scaled, g.add('Transpose', [turned(k)], { perm: [0, 1, 3, 2] })]);
  const probabilities = g.add('Softmax', [outOfBranch(g, scores)], { axis: -1 });
  const mixed = g.add('MatMul', [intoBranch(g, probabilities), heads(v)]);
  return g.add('Reshape', [g.add('Transpose', [mixed], { perm: [0, 2, 1, 3] }), g.whole([0, 0, D])]);
}
