/** The ops that a step spends most of its arithmetic on: which they are, what they are called, and their sizes for other libraries. */
import { type MatmulAttrs, type Plan, type PlannedOp, productsOf, type Shape, sizeOf } from '@franca/tensor';
import type { Attention, Product } from '../torch/ceilings';
import type { StageContext } from './stage';

const MOST = { full: { products: 24, attentions: 6 }, dry: { products: 2, attentions: 2 } };

export interface LargestOps {
  readonly products: readonly PlannedOp[];
  readonly attentions: readonly PlannedOp[];
}

/** Those of the precision that is looked into, the largest share of the arithmetic first. */
export function largestOps(plan: Plan, { dry, precision }: Pick<StageContext, 'dry' | 'precision'>): LargestOps {
  const most = dry ? MOST.dry : MOST.full;
  const those = (which: (name: string) => boolean): PlannedOp[] =>
    productsOf(plan, ({ name }) => which(name)).filter(({ inputs }) => inputs[0]!.dtype === precision);
  return {
    products: those((name) => name === 'matmul').slice(0, most.products),
    attentions: those((name) => name.startsWith('attention')).slice(0, most.attentions),
  };
}

/** `NT 14649x2304x768 f16`; of another op its name and the shape of its first input. */
export function nameOf(planned: PlannedOp): string {
  const { op, inputs } = planned;
  const { shape, dtype } = inputs[0]!;
  if (op.name !== 'matmul') return `${op.name} ${shape.join('x')} ${dtype}`;
  const { batch, m, n, k, transA, transB } = productSize(planned);
  return `${transA ? 'T' : 'N'}${transB ? 'T' : 'N'} ${batch > 1 ? `${batch}x` : ''}${m}x${n}x${k} ${dtype}`;
}

/** A product as a library sees it. One B for all batches of A: the batches are rows. */
export function productSize({ inputs, attrs }: PlannedOp): Required<Omit<Product, 'count'>> {
  const { transposeA: transA, transposeB: transB } = attrs as MatmulAttrs;
  const [a, b] = inputs.map(({ shape }) => shape) as [Shape, Shape];
  const [batchA, batchB] = [sizeOf(a.slice(0, -2)), sizeOf(b.slice(0, -2))];
  const [rows, columns] = a.slice(-2) as [number, number];
  const folds = batchB === 1 && !transA;
  return {
    batch: folds ? 1 : Math.max(batchA, batchB),
    m: transA ? columns : folds ? batchA * rows : rows,
    k: transA ? rows : columns,
    n: transB ? b.at(-2)! : b.at(-1)!,
    transA,
    transB,
  };
}

/** Attention, or its gradient, of qkv [B, N, 3 H d] as a library sees it. */
export function attentionSize({ inputs, attrs }: PlannedOp): Attention {
  const { heads } = attrs as { heads: number };
  const [batch, tokens, width] = inputs[0]!.shape as [number, number, number];
  return { batch, heads, tokens, width: width / (3 * heads) };
}
