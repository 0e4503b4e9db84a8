/**
 * What stands for CLS where a model has none, as nodes: one learned query attends to the patches, and an MLP follows (SigLIP; timm's `AttentionPoolLatent`):
 *   z = W_o Attn(W_q latent, W_kv x),   z + MLP(LN(z)).
 */
import type { VitConfig } from '@franca/vit';
import { attentionGraph } from './block-graph';
import type { GraphBuilder } from './graph-builder';
import { intoBranch, linearGraph, mlpGraph, normGraph, outOfBranch } from './layer-graphs';

/** Patch tokens [B, N, D] after the final norm to one vector [B, 1, D]; `g` is within `attn_pool`. The query is the same for all images. */
export function pooledGraph(g: GraphBuilder, patches: string, config: VitConfig): string {
  const D = config.embedDim;
  const q = linearGraph(g.within('q'), intoBranch(g, g.weight('latent')));
  const packed = linearGraph(g.within('kv'), intoBranch(g, patches));
  const [k, v] = g.addMany('Split', [packed, g.whole([D, D])], 2, { axis: -1 }) as [string, string];
  const attended = outOfBranch(g, linearGraph(g.within('proj'), attentionGraph(g, [q, k, v], config)));
  const normed = intoBranch(g, normGraph(g.within('norm'), attended, config));
  return g.add('Add', [attended, outOfBranch(g, mlpGraph(g.within('mlp'), normed, config))]);
}
