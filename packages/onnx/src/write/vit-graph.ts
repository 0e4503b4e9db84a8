/**
 * A Vision Transformer as an ONNX graph: `pixel_values` [batch, 3, height, width] to `last_hidden_state` [batch, tokens, D] after the final norm, `pooler_output`
 * [batch, D], which is CLS, and `patch_tokens` [batch, patches, D], by the final layer where there is one. All of them are f32 in every precision.
 */
import { FINAL_LAYER, type VitConfig, vitSpecs } from '@franca/vit';
import { blockGraph } from './block-graph';
import { embedGraph, prefixOf } from './embed-graph';
import { type GraphBuilder, graphBuilder, type Precision } from './graph-builder';
import { normGraph, transposedWeight } from './layer-graphs';
import { DATA_TYPES, type ValueMessage } from './onnx-messages';
import { pooledGraph } from './pool-graph';
import { rotationGraph } from './rotary-graph';

export interface VitGraph extends Pick<GraphBuilder, 'nodes' | 'initializers'> {
  readonly inputs: readonly ValueMessage[];
  readonly outputs: readonly ValueMessage[];
}

export interface VitGraphOptions {
  readonly precision: Precision;
  /** Whether patches go through a final layer, whose `weight` [D, D] and `bias` [D] have the names `FINAL_LAYER`. */
  readonly finalLayer: boolean;
}

/** Shapes of all weights that a graph can ask for, by name. */
export function shapesOf(config: VitConfig): Readonly<Record<string, readonly number[]>> {
  const D = config.embedDim;
  const own = Object.entries(vitSpecs(config)).map(([name, { shape }]) => [name, shape]);
  return { ...Object.fromEntries(own), [FINAL_LAYER.weight]: [D, D], [FINAL_LAYER.bias]: [D] };
}

/** The graph of a model; its initializers ask for weights when their values are wanted. */
export function vitGraph(config: VitConfig, { precision, finalLayer }: VitGraphOptions): VitGraph {
  const g = graphBuilder(shapesOf(config), precision);
  const D = config.embedDim;
  const prefix = prefixOf(config);
  const embedded = embedGraph(g, 'pixel_values', config);
  const rotation =
    config.ropeTheta === undefined ? undefined : rotationGraph(g.within('rope'), embedded.grid, config, prefix);
  let x = embedded.tokens;
  for (let i = 0; i < config.depth; i++) x = blockGraph(g.within(`blocks.${i}`), x, config, rotation);

  const tokens = normGraph(g.within('norm'), x, config);
  const plain = sliceTokens(g, tokens, prefix);
  const cls =
    (config.classToken ?? true) ? sliceTokens(g, tokens, 0, 1) : pooledGraph(g.within('attn_pool'), plain, config);
  g.output('last_hidden_state', tokens);
  g.output('pooler_output', g.add('Reshape', [cls, g.whole([0, D])]));
  g.output('patch_tokens', finalLayer ? finalPatches(g, sliceTokens(g, x, prefix), config) : plain);
  return {
    nodes: g.nodes,
    initializers: g.initializers,
    inputs: [value('pixel_values', ['batch', 3, 'height', 'width'])],
    outputs: [
      value('last_hidden_state', ['batch', 'tokens', D]),
      value('pooler_output', ['batch', D]),
      value('patch_tokens', ['batch', 'patches', D]),
    ],
  };
}

/** Tokens [B, N, D] from one index to another. */
const sliceTokens = (g: GraphBuilder, x: string, from: number, to: number = 2 ** 31 - 1): string =>
  from === 0 && to > 2 ** 30 ? x : g.add('Slice', [x, g.whole([from]), g.whole([to]), g.whole([1])]);

/** W xhat + b, xhat the norm of x without weight and bias; in f32, since it is small and its outputs are what is wanted. */
function finalPatches(g: GraphBuilder, x: string, { embedDim: D, normEps = 1e-6 }: VitConfig): string {
  const [ones, zeros] = [g.real(new Array<number>(D).fill(1)), g.real(new Array<number>(D).fill(0))];
  const normed = g.add('LayerNormalization', [x, ones, zeros], { axis: -1, epsilon: { f: normEps } });
  const layer = g.within(FINAL_LAYER.weight.replace(/\.weight$/, ''));
  return layer.add('Add', [layer.add('MatMul', [normed, transposedWeight(layer, 'f32')]), layer.weight('bias')]);
}

const value = (name: string, shape: readonly (number | string)[]): ValueMessage => ({
  name,
  type: {
    tensorType: {
      elemType: DATA_TYPES.f32,
      shape: { dim: shape.map((n) => (typeof n === 'number' ? { dimValue: n } : { dimParam: n })) },
    },
  },
});
