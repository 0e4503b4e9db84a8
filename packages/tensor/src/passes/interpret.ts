/** Runs a recorded graph op by op in plain f64 TypeScript: the reference for tests, and a look at every value. */
import { TensorError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import type { GraphNode, NdArray, Tensor } from '../graph/op';
import { reachable } from '../graph/record';
import { isInput, isState } from '../ops/sources';

/** Values of inputs by name, and of state as `group/name`. */
export type Feeds = Readonly<Record<string, ArrayLike<number>>>;

export interface Interpreted {
  /** The value of any tensor the outputs depend on. */
  value(tensor: Tensor): NdArray;
}

/** Computes `outputs` and all they depend on. Throws if a value is missing from `feeds` or has the wrong length. */
export function interpret(outputs: readonly Tensor[], feeds: Feeds): Interpreted {
  const values = new Map<GraphNode, Float64Array[]>();
  for (const node of reachable(outputs)) {
    const inputs = node.inputs.map((input) => ({ shape: input.shape, data: values.get(input.node)![input.index]! }));
    const name = feedName(node);
    values.set(
      node,
      name === undefined ? node.op.reference(inputs, node.attrs, node.outputs) : [fed(name, node.outputs[0]!, feeds)],
    );
  }
  return {
    value(tensor) {
      const data = values.get(tensor.node)?.[tensor.index];
      if (!data)
        throw new TensorError('argument', `the outputs do not depend on the tensor recorded at ${tensor.node.site}`);
      return { shape: tensor.shape, data };
    },
  };
}

function feedName(node: GraphNode): string | undefined {
  if (isInput(node)) return node.attrs.name;
  return isState(node) ? `${node.attrs.group}/${node.attrs.name}` : undefined;
}

function fed(name: string, { shape }: Tensor, feeds: Feeds): Float64Array {
  const data = feeds[name];
  if (!data) throw new TensorError('argument', `no value for "${name}"; given are ${Object.keys(feeds).join(', ')}`);
  if (data.length !== sizeOf(shape))
    throw new TensorError('shape', `"${name}" has shape ${showShape(shape)}, but ${data.length} values were given`);
  return Float64Array.from(data);
}
