/** The products of a plan: its ops that kernels compete for, each once, with how often it runs. */
import type { GraphNode, Op, Spec } from '../graph/op';
import { storeRoot } from '../kernels/elementwise-program';
import type { Plan } from './plan-types';

export interface PlannedOp {
  readonly op: Op;
  readonly inputs: readonly Spec[];
  readonly attrs: unknown;
  /** What its choice of a kernel is kept by; undefined where there is none. */
  readonly key: string | undefined;
  /** How many of the plan's ops are this one. */
  readonly count: number;
  /** Of one run. */
  readonly flops: number;
}

/** Ops of a plan by shapes, types and attributes, the largest share of the arithmetic first; `which`: of all ops (default: those that have variants). */
export function productsOf(
  { nodes, target }: Plan,
  which: (op: Op) => boolean = ({ variants }) => variants !== undefined,
): PlannedOp[] {
  const found = new Map<string, { node: GraphNode; count: number }>();
  for (const node of nodes) {
    if (!node.op.lower || !which(node.op)) continue;
    const specs = node.inputs.map(({ shape, dtype }) => ({ shape, dtype }));
    const key = JSON.stringify([node.op.name, specs, node.attrs]);
    const known = found.get(key);
    found.set(key, { node: known?.node ?? node, count: (known?.count ?? 0) + 1 });
  }
  return [...found.values()]
    .map(({ node: { op, inputs, outputs, attrs }, count }) => {
      const args = { inputs, outputs, attrs, target, epilogue: storeRoot(outputs[0]!) };
      return {
        op,
        inputs: inputs.map(({ shape, dtype }) => ({ shape, dtype })),
        attrs,
        key: op.variants?.(args).key,
        count,
        flops: op.lower!(args).reduce((sum, { flops }) => sum + flops, 0),
      };
    })
    .sort((one, other) => other.count * other.flops - one.count * one.flops);
}
