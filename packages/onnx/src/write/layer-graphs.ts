/**
 * The layers of a transformer as nodes. The residual stream, norms, softmax, LayerScale and positions are f32 in every precision; what lies between norm and
 * LayerScale (linear layers, products of attention, activations) is the branch, and runs in f16 where weights are f16.
 */
import type { VitConfig } from '@franca/vit';
import { castTo, type GraphBuilder, type Precision } from './graph-builder';
import { quantise, scalesOf, ZERO_POINT } from './quantise';

/** Type of the numbers in a branch. */
export const branchType = (precision: Precision): 'f32' | 'f16' => (precision === 'f16' ? 'f16' : 'f32');

/** From the stream into a branch. */
export const intoBranch = (g: GraphBuilder, x: string): string =>
  g.precision === 'f16' ? g.add('Cast', [x], castTo('f16')) : x;

/** From a branch back to f32. */
export const outOfBranch = (g: GraphBuilder, x: string): string =>
  g.precision === 'f16' ? g.add('Cast', [x], castTo('f32')) : x;

/** Layer normalisation over the last axis, with `weight` and `bias` of the module. */
export const normGraph = (g: GraphBuilder, x: string, { normEps = 1e-6 }: Pick<VitConfig, 'normEps'>): string =>
  g.add('LayerNormalization', [x, g.weight('weight'), g.weight('bias')], { axis: -1, epsilon: { f: normEps } });

/** x W^T + b in a branch; `weight` [outputs, inputs] lies transposed in the file, as MatMul takes it. */
export function linearGraph(g: GraphBuilder, x: string): string {
  const product = g.precision === 'q8' ? quantisedProduct(g, x) : g.add('MatMul', [x, transposedWeight(g)]);
  return g.add('Add', [product, g.weight('bias', branchType(g.precision))]);
}

/** `weight` of the module as [inputs, outputs]. */
export function transposedWeight(g: GraphBuilder, type: 'f32' | 'f16' = branchType(g.precision)): string {
  const [outputs, inputs] = g.shapeOf('weight') as [number, number];
  return g.initializer({
    name: 'weight',
    type,
    dims: [inputs, outputs],
    values: async (read) => transposed(await read('weight'), outputs, inputs),
  });
}

function transposed(values: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
  }
  return out;
}

/** x as bytes, by the least and largest number in it, times weights as bytes; sums are whole numbers. */
function quantisedProduct(g: GraphBuilder, x: string): string {
  const [outputs, inputs] = g.shapeOf('weight') as [number, number];
  const weight = g.initializer({
    name: 'weight_quantized',
    type: 'u8',
    dims: [inputs, outputs],
    values: async (read) => quantise(await read('weight'), outputs),
  });
  const scales = g.initializer({
    name: 'weight_scale',
    type: 'f32',
    dims: [outputs],
    values: async (read) => scalesOf(await read('weight'), outputs),
  });
  const zero = g.initializer({
    name: 'weight_zero_point',
    type: 'u8',
    dims: [],
    values: async () => [ZERO_POINT],
  });
  const [bytes, scale, shift] = g.addMany('DynamicQuantizeLinear', [x], 3) as [string, string, string];
  const sums = g.add('Cast', [g.add('MatMulInteger', [bytes, weight, shift, zero])], castTo('f32'));
  return g.add('Mul', [sums, g.add('Mul', [scale, scales])]);
}

/** The activation of `mlp`, in the forms that the optimisers of runtimes know. */
function activationGraph(g: GraphBuilder, x: string, { activation = 'gelu' }: Pick<VitConfig, 'activation'>): string {
  const real = (value: number): string => g.real(value, branchType(g.precision));
  if (activation === 'quick_gelu') return g.add('Mul', [x, g.add('Sigmoid', [g.add('Mul', [x, real(1.702)])])]);
  if (activation === 'gelu') {
    const erf = g.add('Erf', [g.add('Div', [x, real(Math.SQRT2)])]);
    return g.add('Mul', [g.add('Mul', [x, g.add('Add', [erf, real(1)])]), real(0.5)]);
  }
  const cubed = g.add('Mul', [g.add('Pow', [x, real(3)]), real(0.044715)]);
  const tanh = g.add('Tanh', [g.add('Mul', [g.add('Add', [x, cubed]), real(Math.sqrt(2 / Math.PI))])]);
  return g.add('Mul', [g.add('Mul', [x, real(0.5)]), g.add('Add', [tanh, real(1)])]);
}

/** W2 activation(W1 x). */
export function mlpGraph(g: GraphBuilder, x: string, config: Pick<VitConfig, 'activation'>): string {
  const hidden = activationGraph(g, linearGraph(g.within('fc1'), x), config);
  return linearGraph(g.within('fc2'), hidden);
}

/** W3 (silu(a) b) with [a, b] = W12 x. */
export function swigluGraph(g: GraphBuilder, x: string): string {
  const both = linearGraph(g.within('w12'), x);
  const half = g.shapeOf('w12.bias')[0]! / 2;
  const [a, b] = g.addMany('Split', [both, g.whole([half, half])], 2, { axis: -1 }) as [string, string];
  const silu = g.add('Mul', [a, g.add('Sigmoid', [a])]);
  return linearGraph(g.within('w3'), g.add('Mul', [silu, b]));
}
