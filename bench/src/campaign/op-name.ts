/** Ops of a plan in a few words, and products as sizes. */
import type { MatmulAttrs, PlannedOp } from '@franca/tensor';

/** A product as `torch` computes it: op(A) [batch, M, K] op(B) [batch, K, N]. */
export interface ProductSize {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, side) => size * side, 1);

/** The sizes of a product of a plan. One B for all batches of A: the batches are rows. */
export function productSize({ inputs, attrs }: PlannedOp): ProductSize {
  const { transposeA: transA, transposeB: transB } = attrs as MatmulAttrs;
  const [a, b] = inputs.map(({ shape }) => shape) as [readonly number[], readonly number[]];
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

/** `NT 14649x2304x768 f16`; an op that is no product by its name and the shapes of its inputs. */
export function nameOf(planned: PlannedOp): string {
  const { op, inputs } = planned;
  const type = inputs[0]!.dtype;
  if (op.name !== 'matmul') return `${op.name} ${inputs.map(({ shape }) => shape.join('x')).join(' ')} ${type}`;
  const { batch, m, n, k, transA, transB } = productSize(planned);
  const layout = `${transA ? 'T' : 'N'}${transB ? 'T' : 'N'}`;
  return `${layout} ${batch > 1 ? `${batch}x` : ''}${m}x${n}x${k} ${type}`;
}
