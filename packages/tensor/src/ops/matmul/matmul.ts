/**
 * The matrix product C = op(A) op(B), batched, with an epilogue. A [.., M, K] (or [.., K, M] transposed), B [.., K, N] (or [.., N, K]
 * transposed) -> [.., M, N]. A B without batch dimensions serves every batch of A. Operands are f32 or f16, accumulation is f32.
 * Elementwise ops that follow join the kernel as its epilogue (bias, activation, scale, residual). Gradients are matmuls again, with the
 * transposes swapped: nothing is ever transposed in memory.
 */
import { isFloat } from '../../base/dtype';
import { opError } from '../../base/errors';
import { broadcastShapes, type Shape, showShape, sizeOf } from '../../base/shape';
import type { LowerArgs, Op, Spec, Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { sumTo } from '../reduce';
import { reshape } from '../views';
import type { MatmulDims, MatmulProblem } from './problem';
import { lowerMatmul, matmulChoice } from './variants';

/** Which operands are transposed. */
export interface MatmulAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

function matmulDims(a: Spec, b: Spec, { transposeA, transposeB }: MatmulAttrs): MatmulDims {
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const batchA = sizeOf(a.shape.slice(0, -2));
  const batchB = sizeOf(b.shape.slice(0, -2));
  // One B for all batches of A: the batches are just more rows.
  const folds = batchB === 1 && !transposeA;
  return {
    batch: folds ? 1 : Math.max(batchA, batchB),
    M: folds ? batchA * rowsA : transposeA ? columnsA : rowsA,
    K: transposeA ? rowsA : columnsA,
    N: transposeB ? rowsB : columnsB,
    strideA: folds || batchA === 1 ? 0 : rowsA * columnsA,
    strideB: batchB === 1 ? 0 : rowsB * columnsB,
  };
}

/** Batches of the product: those of both operands, or of one where the other is a single matrix. */
function batchShape(a: Shape, b: Shape): Shape | undefined {
  const lead = broadcastShapes(a, b);
  const serves = (shape: Shape): boolean => sizeOf(shape) === 1 || sizeOf(shape) === sizeOf(lead!);
  return lead && serves(a) && serves(b) ? lead : undefined;
}

export const matmulOp: Op<MatmulAttrs> = {
  name: 'matmul',
  fusesEpilogue: true,
  infer([a, b], attrs) {
    if (a!.shape.length < 2 || b!.shape.length < 2)
      opError('shape', 'matmul', `needs matrices, got ${showShape(a!.shape)} and ${showShape(b!.shape)}`);
    if (!isFloat(a!.dtype) || a!.dtype !== b!.dtype)
      opError('dtype', 'matmul', `needs two operands of one float type, got ${a!.dtype} and ${b!.dtype}`);
    const { N, K } = matmulDims(a!, b!, attrs);
    const M = attrs.transposeA ? a!.shape.at(-1)! : a!.shape.at(-2)!;
    const kB = attrs.transposeB ? b!.shape.at(-1)! : b!.shape.at(-2)!;
    const shapes = `${showShape(a!.shape)}${attrs.transposeA ? ' transposed' : ''} and ${showShape(b!.shape)}${attrs.transposeB ? ' transposed' : ''}`;
    if (K !== kB) opError('shape', 'matmul', `inner dimensions ${K} and ${kB} of ${shapes} differ`);
    const lead = batchShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    if (!lead) opError('shape', 'matmul', `batch dimensions of ${shapes} do not fit`);
    return [{ shape: [...lead, M, N], dtype: a!.dtype }];
  },
  reference([a, b], attrs) {
    const { batch, M, N, K, strideA, strideB } = matmulDims(
      { shape: a!.shape, dtype: 'f32' },
      { shape: b!.shape, dtype: 'f32' },
      attrs,
    );
    const out = new Float64Array(batch * M * N);
    for (let z = 0; z < batch; z++)
      for (let m = 0; m < M; m++)
        for (let k = 0; k < K; k++) {
          const x = a!.data[z * strideA + (attrs.transposeA ? k * M + m : m * K + k)]!;
          for (let n = 0; n < N; n++)
            out[(z * M + m) * N + n]! += x * b!.data[z * strideB + (attrs.transposeB ? n * K + k : k * N + n)]!;
        }
    return [out];
  },
  gradient({ inputs, attrs, grads }) {
    const b = inputs[1]!;
    // With one B for all batches, fold the batches into rows first, so that dB is one product and not a sum of many.
    const folds = b.shape.length === 2 && !attrs.transposeA;
    const rows = (x: Tensor) => (folds ? reshape(x, [-1, x.shape.at(-1)!]) : x);
    const a = rows(inputs[0]!);
    const g = rows(grads[0]!);
    const { transposeA, transposeB } = attrs;
    const da = transposeA
      ? matmul(b, g, { transposeA: transposeB, transposeB: true })
      : matmul(g, b, { transposeB: !transposeB });
    const db = transposeB
      ? matmul(g, a, { transposeA: true, transposeB: transposeA })
      : matmul(a, g, { transposeA: !transposeA });
    return [reshape(sumTo(da, a.shape), inputs[0]!.shape), sumTo(db, b.shape)];
  },
  lower: (args) => lowerMatmul(matmulProblem(args)),
  variants: (args) => matmulChoice(matmulProblem(args)),
};

export function matmulProblem({ inputs, attrs, target, epilogue }: LowerArgs<MatmulAttrs>): MatmulProblem {
  const [a, b] = inputs as [Tensor, Tensor];
  const dims = matmulDims(a, b, attrs);
  const { M, N, K, strideA, strideB } = dims;
  return {
    dims,
    a: { name: 'A', tensor: a, alongK: !attrs.transposeA, free: M, K, stride: strideA },
    b: { name: 'B', tensor: b, alongK: attrs.transposeB, free: N, K, stride: strideB },
    epilogue: epilogue!,
    target,
  };
}

/** op(a) op(b); see the head of this file for shapes. */
export const matmul = (
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: Partial<MatmulAttrs> = {},
): Tensor => record1(matmulOp, [a, b], { transposeA, transposeB });
