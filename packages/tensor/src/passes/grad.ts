/**
 * Reverse-mode differentiation of a recorded graph, with rematerialisation. Walking the nodes from the loss backwards, each op's gradient
 * rule records further ops; the result is more graph, which is compiled with the rest. A rematerialisation block is recorded again when the
 * walk enters it, so that its inner values need not be kept from the forward pass.
 */
import { isFloat } from '../base/dtype';
import { opError } from '../base/errors';
import { sameShape, showShape, sizeOf } from '../base/shape';
import { refuseOtherCopy } from '../graph/copy';
import type { GraphNode, Tensor } from '../graph/op';
import { checkTensor, reachable, record, recordInBlock } from '../graph/record';
import { cast } from '../ops/elementwise';
import { broadcastTo } from '../ops/reduce';
import { constant, literal } from '../ops/sources';
import { gradientSums } from './gradient-sums';

/** Gradients of a scalar `loss` with respect to `wrt`, in the same order; zeros where the loss does not depend on one. */
export function grad(loss: Tensor, wrt: readonly Tensor[]): Tensor[];
/** Gradients by name. */
export function grad<K extends string>(loss: Tensor, wrt: Readonly<Record<K, Tensor>>): Record<K, Tensor>;
export function grad(
  loss: Tensor,
  wrt: readonly Tensor[] | Readonly<Record<string, Tensor>>,
): Tensor[] | Record<string, Tensor> {
  if (typeof wrt !== 'object' || wrt === null)
    opError('argument', 'grad', 'needs the tensors to differentiate by, a list or by name');
  if (Array.isArray(wrt)) return gradients(loss, wrt as readonly Tensor[]);
  const names = Object.keys(wrt);
  const list = gradients(loss, Object.values(wrt));
  return Object.fromEntries(names.map((name, i) => [name, list[i]!]));
}

/** The loss beside its gradients: `[loss, grads]`. */
export const valueAndGrad = <K extends string>(
  loss: Tensor,
  wrt: Readonly<Record<K, Tensor>>,
): [Tensor, Record<K, Tensor>] => [loss, grad(loss, wrt)];

function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  checkTensor('grad', loss);
  for (const tensor of wrt) checkTensor('grad', tensor);
  if (sizeOf(loss.shape) !== 1 || !isFloat(loss.dtype))
    opError(
      'shape',
      'grad',
      `the loss must be one float, got ${loss.dtype} ${showShape(loss.shape)}; reduce it with sum or mean`,
    );
  for (const { node } of wrt) refuseOtherCopy('what the gradient is asked of', node);
  const nodes = reachable([loss]);
  const depends = dependants(nodes, wrt);
  const sums = gradientSums();
  const replay = blockReplayer(nodes);
  sums.add(loss, broadcastTo(literal(1, loss.dtype), loss.shape));

  for (const node of nodes.toReversed()) {
    const grads = node.outputs.map(sums.of);
    if (grads.every((grad) => !grad) || !depends.has(node) || node.op.differentiable === false) continue;
    if (!node.op.gradient) {
      if (
        node.inputs.some((input) => depends.has(input.node)) &&
        node.outputs.some((output, i) => isFloat(output.dtype) && grads[i])
      ) {
        opError(
          'not-differentiable',
          node.op.name,
          `has no gradient; it was recorded at ${node.site}; wrap its input in stopGradient if none is meant`,
        );
      }
      continue;
    }
    const { inputs, outputs } = replay(node);
    const results = node.op.gradient({
      inputs,
      outputs,
      forward: node.outputs,
      attrs: node.attrs,
      grads,
    });
    checkGradients(node, results);
    node.inputs.forEach((input, i) => {
      const result = results[i];
      if (result && depends.has(input.node)) sums.add(input, cast(result, input.dtype));
    });
  }
  return wrt.map((tensor) => sums.of(tensor) ?? broadcastTo(constant([0], [], tensor.dtype), tensor.shape));
}

/** Each gradient must be a float of exactly its input's shape: what broadcasts would be added up wrong, and silently. */
function checkGradients(node: GraphNode, results: readonly (Tensor | undefined)[]): void {
  const { op, inputs } = node;
  results.forEach((result, i) => {
    if (!result) return;
    const refuse = (code: 'shape' | 'dtype' | 'argument', problem: string): never =>
      opError(code, op.name, `its gradient of input ${i} ${problem}; the op was recorded at ${node.site}`);
    const input = inputs[i] ?? refuse('argument', `is one too many for ${inputs.length} inputs`);
    if (!sameShape(result.shape, input.shape))
      refuse('shape', `has shape ${showShape(result.shape)}, the input ${showShape(input.shape)}`);
    if (!isFloat(result.dtype) || !isFloat(input.dtype))
      refuse('dtype', `is ${result.dtype}, the input ${input.dtype}; only floats have gradients, in floats`);
  });
}

/** Nodes through which the loss depends on `wrt`, stopping at stopGradient. */
function dependants(nodes: readonly GraphNode[], wrt: readonly Tensor[]): Set<GraphNode> {
  const found = new Set(wrt.map((tensor) => tensor.node));
  for (const node of nodes) {
    if (node.op.differentiable !== false && node.inputs.some((input) => found.has(input.node))) found.add(node);
  }
  return found;
}

/** Marks everything that `body` records for rematerialisation: its inner values are computed again in the backward pass instead of kept. */
export const remat = <T>(body: () => T): T => recordInBlock({}, body);

/** For a node of a rematerialisation block: its inputs and outputs as recorded a second time, at the moment the backward pass needs them. */
function blockReplayer(nodes: readonly GraphNode[]): (node: GraphNode) => Pick<GraphNode, 'inputs' | 'outputs'> {
  const copies = new Map<GraphNode, GraphNode>();
  const replayed = new Set<object>();
  return (node) => {
    if (!node.block) return node;
    if (!replayed.has(node.block)) {
      replayed.add(node.block);
      for (const member of nodes) {
        if (member.block !== node.block) continue;
        if (member.op.mutates)
          opError(
            'state',
            'remat',
            `the block updates state at ${member.site}, and would do so again in the backward pass; update it outside`,
          );
        const inputs = member.inputs.map((input) => copies.get(input.node)?.outputs[input.index] ?? input);
        copies.set(member, record(member.op, inputs, member.attrs)[0]!.node);
      }
    }
    const copy = copies.get(node)!;
    return copy;
  };
}
